package csidriver

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

type storage map[string]Answer

func (s storage) Expand(volume string, _ int64) Answer { return s[volume] }

func TestDriverAnswersAsTheStorageSays(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "csi.sock")
	if err := Serve(t.Context(), socket, storage{
		"bad":  {Code: codes.OutOfRange, Message: "too large"},
		"slow": {After: time.Hour},
	}); err != nil {
		t.Fatal(err)
	}
	conn, err := grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if info, err := csi.NewIdentityClient(conn).GetPluginInfo(t.Context(), &csi.GetPluginInfoRequest{}); err != nil || info.Name != Name {
		t.Errorf("name %v, error %v", info, err)
	}
	expand := func(volume string, timeout time.Duration) (*csi.ControllerExpandVolumeResponse, error) {
		ctx, cancel := context.WithTimeout(t.Context(), timeout)
		defer cancel()
		return csi.NewControllerClient(conn).ControllerExpandVolume(ctx, &csi.ControllerExpandVolumeRequest{
			VolumeId: volume, CapacityRange: &csi.CapacityRange{RequiredBytes: 2 << 30},
		})
	}
	if r, err := expand("good", time.Minute); err != nil || r.CapacityBytes != 2<<30 || !r.NodeExpansionRequired {
		t.Errorf("a good volume: %v, error %v", r, err)
	}
	if _, err := expand("bad", time.Minute); status.Code(err) != codes.OutOfRange {
		t.Errorf("a bad volume: %v", err)
	}
	if _, err := expand("slow", 10*time.Millisecond); status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("a slow volume: %v", err)
	}
}
