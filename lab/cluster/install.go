package cluster

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/drydock-db/drydock/lab/build"
)

//go:embed base.yaml
var baseManifests []byte

// leftOut are kinds that make no sense for an operator that runs beside the cluster, not in it.
var leftOut = []string{
	"Deployment", "Service", "NetworkPolicy", "PodDisruptionBudget", "HorizontalPodAutoscaler",
	"ServiceMonitor", "PodMonitor", "PrometheusRule",
}

// installBase applies what every lab has: storage classes, which somebody may have deleted since, and cert-manager's definitions,
// which have to be there before it starts.
func (l *Lab) installBase(ctx context.Context, builder *build.Builder) error {
	objects, err := decode(baseManifests)
	if err != nil {
		return err
	}
	if p, known := l.state.process(certManager); known && p.alive() {
		apply, err := l.newApplier()
		if err != nil {
			return err
		}
		return apply.apply(ctx, objects)
	}
	return l.step("storage classes and cert-manager's definitions", func() error {
		dir, err := builder.ModuleDir(ctx, "certmanager", "github.com/cert-manager/cert-manager")
		if err != nil {
			return err
		}
		definitions, err := decodeFolder(filepath.Join(dir, "deploy", "crds"))
		if err != nil {
			return err
		}
		apply, err := l.newApplier()
		if err != nil {
			return err
		}
		return apply.apply(ctx, append(objects, definitions...))
	})
}

// install applies the operator's manifests and then its catalog. It applies nothing when neither has
// changed since the last time.
func (l *Lab) install(ctx context.Context, o UpOptions) error {
	manifests, err := l.kustomize(ctx, filepath.Join(o.Root, o.Manifests))
	if err != nil {
		return err
	}
	catalog, err := l.kustomize(ctx, filepath.Join(o.Root, o.Catalog))
	if err != nil {
		return err
	}
	sum := sha256.Sum256(slices.Concat(manifests, catalog))
	hash := hex.EncodeToString(sum[:])
	if hash == l.state.Installed {
		l.say("manifests: unchanged")
		return nil
	}
	return l.step("manifests", func() error {
		objects, err := l.adapt(manifests)
		if err != nil {
			return err
		}
		apply, err := l.newApplier()
		if err != nil {
			return err
		}
		if err := apply.apply(ctx, objects); err != nil {
			return err
		}
		versions, err := decode(catalog)
		if err != nil {
			return err
		}
		if err := apply.apply(ctx, versions); err != nil {
			return fmt.Errorf("catalog: %w", err)
		}
		l.state.Installed = hash
		return l.save()
	})
}

// kustomize renders a folder; one without a kustomization renders to nothing.
func (l *Lab) kustomize(ctx context.Context, dir string) ([]byte, error) {
	if _, err := os.Stat(filepath.Join(dir, "kustomization.yaml")); errors.Is(err, fs.ErrNotExist) {
		l.say("manifests: no kustomization.yaml in %s, nothing to apply from there", dir)
		return nil, nil
	}
	cmd := exec.CommandContext(ctx, l.path("bin", "kubectl"), "kustomize", dir)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("kubectl kustomize %s: %w\n%s", dir, err, stderr.Bytes())
	}
	return out, nil
}

// adapt makes in-cluster manifests fit an operator outside: without its Deployment, and with webhooks
// called by URL.
func (l *Lab) adapt(manifests []byte) ([]*unstructured.Unstructured, error) {
	objects, err := decode(manifests)
	if err != nil {
		return nil, err
	}
	objects = slices.DeleteFunc(objects, func(o *unstructured.Unstructured) bool {
		return slices.Contains(leftOut, o.GetKind())
	})
	for _, o := range objects {
		l.callByURL(o)
	}
	return objects, nil
}

// callByURL replaces the Service in an object's webhook client configurations by the operator's
// loopback address. A caBundle stays; without one the operator injects its own at start.
func (l *Lab) callByURL(o *unstructured.Unstructured) {
	var configs []any
	webhooks, _ := o.Object["webhooks"].([]any)
	for _, w := range webhooks {
		if fields, ok := w.(map[string]any); ok {
			configs = append(configs, fields["clientConfig"])
		}
	}
	if conversion, ok, _ := unstructured.NestedFieldNoCopy(o.Object, "spec", "conversion", "webhook", "clientConfig"); ok {
		configs = append(configs, conversion)
	}
	for _, c := range configs {
		config, ok := c.(map[string]any)
		if !ok {
			continue
		}
		service, ok := config["service"].(map[string]any)
		if !ok {
			continue
		}
		path, _ := service["path"].(string)
		config["url"] = "https://" + l.address(portWebhook) + path
		delete(config, "service")
	}
}
