//go:build lab && faults

package faults

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/test/framework"
)

// cancelling deletes the request at write k.
func cancelling(ctx context.Context, d *dock, s scenario, k int) (*run, bool, error) {
	return d.interrupted(ctx, s, k, func(r *run) strike {
		return func(_ write, send func() (*http.Response, error)) (*http.Response, error) {
			if err := d.remove(ctx, d.lab.Client, r.request); err != nil {
				return nil, err
			}
			return send()
		}
	}, func(ctx context.Context, r *run) error {
		return until(ctx, "the request to go", func() bool { return r.gone(ctx) })
	})
}

// remove deletes an object as somebody.
func (d *dock) remove(ctx context.Context, as client.Client, o client.Object) error {
	err := as.Delete(ctx, o.DeepCopyObject().(client.Object), client.PropagationPolicy(metav1.DeletePropagationBackground))
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("deleting %s: %w", o.GetName(), err)
	}
	return nil
}

// replacing kills the operator at write k. While none is there the request is deleted by force, and one of the same name
// asks for the same.
func replacing(ctx context.Context, d *dock, s scenario, k int) (*run, bool, error) {
	return d.interrupted(ctx, s, k, func(*run) strike { return before(d) }, func(ctx context.Context, r *run) error {
		if err := r.bury(ctx); err != nil {
			return err
		}
		next, err := d.request(s, r.request.GetName(), r.asked)
		if err != nil {
			return err
		}
		if err := d.lab.Client.Create(ctx, next); err != nil {
			return fmt.Errorf("making the request again: %w", err)
		}
		r.request = next
		return d.succeed(ctx, upbringing{})
	})
}

// bury kills the operator and then deletes the request by force.
func (r *run) bury(ctx context.Context) error {
	r.operator.kill()
	r.forced = r.request.GetUID()
	r.dock.forced = append(r.dock.forced, r.forced)
	return r.force(ctx, r.lab.Client, r.request)
}

// correcting kills the operator at write k. While none is there the request, which cannot succeed, is deleted by force; one that
// asks for what works follows when nobody holds the database any more, and does not wait until that is well.
func correcting(ctx context.Context, d *dock, s scenario, k int) (*run, bool, error) {
	return d.interrupted(ctx, s, k, func(*run) strike { return before(d) }, func(ctx context.Context, r *run) error {
		if err := r.bury(ctx); err != nil {
			return err
		}
		if err := d.succeed(ctx, upbringing{}); err != nil {
			return err
		}
		err := until(ctx, "the gate to open", func() bool {
			_, held := framework.HeldByOperation(d.database())
			return !held && d.operator.idle() > silence
		})
		if err == nil {
			err = d.misbehave(ctx, nil)
		}
		if err == nil {
			err = r.tidy(ctx)
		}
		if err != nil {
			return err
		}
		right := s
		right.ask = s.correct
		next, err := d.request(right, r.request.GetName()+"-corrected", r.asked)
		if err != nil {
			return err
		}
		next.RequestSpec().Apply = opsv1.ApplyAlways
		if err := d.lab.Client.Create(ctx, next); err != nil {
			return fmt.Errorf("making the corrected request: %w", err)
		}
		r.request = next
		return nil
	})
}

// tidy removes the Secret of a configuration that was made when the revision which names it was not: nobody else knows of it
// once the request is gone (ADR 12).
func (r *run) tidy(ctx context.Context) error {
	if r.blow.what != "POST controllerrevisions" {
		return nil
	}
	now, err := r.look(ctx)
	if err != nil {
		return err
	}
	names, err := now.leftovers()
	for _, name := range names {
		if !strings.Contains(name, "-config-") {
			continue // no other may be left
		}
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: r.database().GetNamespace()}}
		if err := r.lab.Client.Delete(ctx, secret); err != nil {
			return fmt.Errorf("removing what nobody knows of: %w", err)
		}
	}
	return err
}

// force deletes an object and everything that holds it.
func (d *dock) force(ctx context.Context, as client.Client, o client.Object) error {
	if err := d.remove(ctx, as, o); err != nil {
		return err
	}
	if err := d.strip(ctx, o); err != nil {
		return fmt.Errorf("removing the finalizers of %s: %w", o.GetName(), err)
	}
	return nil
}

// sinking deletes the database at write k, as the controller does that empties a namespace: an operation's pause does not
// stop it.
func sinking(ctx context.Context, d *dock, s scenario, k int) (*run, bool, error) {
	r, err := d.begin(ctx, s, func(r *run) {
		r.struck = d.operator.arm(k, func(_ write, send func() (*http.Response, error)) (*http.Response, error) {
			if err := d.remove(ctx, d.undertaker, d.blank()); err != nil {
				return nil, err
			}
			return send()
		})
	})
	if err != nil {
		return nil, false, err
	}
	struck, err := r.strikes(ctx)
	if err != nil {
		return r, struck, err
	}
	if !struck {
		return r, false, r.finish(ctx)
	}
	err = until(ctx, "the database to go", func() bool { return d.database() == nil })
	if err != nil {
		return r, struck, r.explain(err)
	}
	// What is left then is the garbage collector's; the judge sees what it leaves.
	_ = until(ctx, "the pods to go", func() bool {
		now, err := d.look(ctx)
		return err != nil || len(now.sets)+len(now.pods)+len(now.claims)+len(now.certificates)+len(now.issuers) == 0
	})
	return r, struck, r.settle(ctx)
}

// blank is the dock's database with nothing but a name.
func (d *dock) blank() engines.Database {
	return d.sample.database(metav1.ObjectMeta{Namespace: d.space.Name, Name: d.sample.name})
}

// relaunching kills the operator at write k. While none is there the database is deleted by force, and one of the same
// name is made.
func relaunching(ctx context.Context, d *dock, s scenario, k int) (*run, bool, error) {
	return d.interrupted(ctx, s, k, func(*run) strike { return before(d) }, func(ctx context.Context, r *run) error {
		d.operator.kill()
		now, err := d.look(ctx)
		if err != nil {
			return err
		}
		for _, o := range now.objects() {
			d.space.Record.ByHand(o) // the garbage collector takes what belonged to the old one
		}
		if err := d.force(ctx, d.undertaker, d.blank()); err != nil {
			return err
		}
		uid, err := d.order(ctx)
		if err != nil {
			return err
		}
		err = d.succeed(ctx, upbringing{})
		if err == nil {
			err = d.afloat(ctx, uid)
		}
		d.disown(now.sets)
		return err
	})
}

// disown excuses the pods of workloads that went with their database, also those that were made at the last moment.
func (d *dock) disown(sets []*appsv1.StatefulSet) {
	for _, e := range d.space.Record.Story().Events {
		for _, set := range sets {
			if pod, ok := e.Object.(*corev1.Pod); ok && metav1.IsControlledBy(pod, set) {
				d.space.Record.ByHand(pod)
			}
		}
	}
}
