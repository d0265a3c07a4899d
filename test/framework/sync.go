package framework

import (
	"context"
	"fmt"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Sync returns when the recorder has seen everything that the API server has now.
func (s *Space) Sync(ctx context.Context) error {
	err := wait.PollUntilContextTimeout(ctx, 20*time.Millisecond, 30*time.Second, true, func(ctx context.Context) (bool, error) {
		for _, list := range s.recorded() {
			seen, err := s.caughtUp(ctx, list())
			if err != nil || !seen {
				return false, err
			}
		}
		return true, nil
	})
	if err != nil {
		return fmt.Errorf("the recorder of %s does not catch up: %w", s.Name, err)
	}
	return s.Record.Broken()
}

// Broken tells what went wrong with the recording itself.
func (r *Recorder) Broken() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.broken
}

func (s *Space) caughtUp(ctx context.Context, list client.ObjectList) (bool, error) {
	if _, volumes := list.(*corev1.PersistentVolumeList); volumes {
		return true, nil // too many, of all namespaces
	}
	if err := s.Client.List(ctx, list, client.InNamespace(s.Name)); err != nil {
		return false, fmt.Errorf("listing %T: %w", list, err)
	}
	seen := true
	err := meta.EachListItem(list, func(o runtime.Object) error {
		object := o.(client.Object)
		seen = seen && s.Record.knows(object)
		return nil
	})
	return seen, err
}

// knows tells whether this version of the object, or a later one, was seen.
func (r *Recorder) knows(o client.Object) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	latest, ok := r.latest[keyOf(o)]
	if !ok {
		return false
	}
	have, err := strconv.ParseUint(latest.GetResourceVersion(), 10, 64)
	want, err2 := strconv.ParseUint(o.GetResourceVersion(), 10, 64)
	return err == nil && err2 == nil && have >= want
}
