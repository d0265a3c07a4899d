package serving

import (
	"context"
	"sync"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
)

// rewatch is how long to wait before a watch that ended is started again.
const rewatch = 10 * time.Second

// retry spaces out passes that fail.
func retry() wait.Backoff {
	return wait.Backoff{Duration: 2 * time.Second, Factor: 2, Jitter: 0.2, Steps: 6, Cap: time.Minute}
}

// Start renews until the context ends. It wakes when something is due by the clock, and when somebody writes a webhook
// configuration: one that was deleted and created again would otherwise trust nobody for hours.
func (s *Serving) Start(ctx context.Context) error {
	log := logf.FromContext(ctx).WithName("serving")
	ctx = logf.IntoContext(ctx, log)
	wake := make(chan struct{}, 1)
	var watches sync.WaitGroup
	defer watches.Wait()
	for name, list := range map[string]client.ObjectList{
		s.options.MutatingName:   &admissionregistrationv1.MutatingWebhookConfigurationList{},
		s.options.ValidatingName: &admissionregistrationv1.ValidatingWebhookConfigurationList{},
	} {
		if name != "" {
			watches.Go(func() { s.watch(ctx, list, name, wake) })
		}
	}
	backoff := retry()
	for {
		next, err := s.ensure(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			log.Error(err, "could not bring the webhook server's certificate up to date, will try again")
			next = time.Now().Add(backoff.Step())
		} else {
			backoff = retry()
		}
		timer := time.NewTimer(time.Until(next))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		case <-wake:
			timer.Stop()
		}
	}
}

// watch wakes the loop on every event of one webhook configuration.
func (s *Serving) watch(ctx context.Context, list client.ObjectList, name string, wake chan<- struct{}) {
	wait.JitterUntilWithContext(ctx, func(ctx context.Context) {
		events, err := s.options.Client.Watch(ctx, list, client.MatchingFields{"metadata.name": name})
		if err != nil {
			logf.FromContext(ctx).Error(err, "cannot watch webhook configuration", "name", name)
			return
		}
		defer events.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case _, open := <-events.ResultChan():
				if !open {
					return
				}
				select {
				case wake <- struct{}{}:
				default: // it is awake already
				}
			}
		}
	}, rewatch, 1, true)
}
