package fakekubelet

import (
	"context"
	"log/slog"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/util/workqueue"
)

// loop runs one kind of work: keys in, one worker at a time per key. Workers never sleep; what is not due
// yet goes back into the queue with a delay.
type loop[K comparable] struct {
	name  string
	queue workqueue.TypedRateLimitingInterface[K]
	sync  func(ctx context.Context, key K) (after time.Duration, err error)
}

func newLoop[K comparable](name string, sync func(context.Context, K) (time.Duration, error)) *loop[K] {
	// Retries start at 5 ms: most errors are conflicts with another writer.
	limiter := workqueue.NewTypedItemExponentialFailureRateLimiter[K](5*time.Millisecond, 5*time.Second)
	return &loop[K]{name: name, sync: sync, queue: workqueue.NewTypedRateLimitingQueue[K](limiter)}
}

// run blocks until ctx ends.
func (l *loop[K]) run(ctx context.Context, workers int) {
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for l.next(ctx) {
			}
		})
	}
	<-ctx.Done()
	l.queue.ShutDown()
	wg.Wait()
}

func (l *loop[K]) next(ctx context.Context) bool {
	key, shutdown := l.queue.Get()
	if shutdown {
		return false
	}
	defer l.queue.Done(key)
	after, err := l.sync(ctx, key)
	if err != nil {
		if ctx.Err() == nil && !apierrors.IsConflict(err) {
			slog.Info("will retry", "loop", l.name, "key", key, "error", err)
		}
		l.queue.AddRateLimited(key)
		return true
	}
	l.queue.Forget(key)
	if after > 0 {
		l.queue.AddAfter(key, after)
	}
	return true
}

// ledger keeps memories by UID. Each entry is used by one worker at a time, the map by all.
type ledger[K comparable, V any] struct {
	mu      sync.Mutex
	entries map[K]V
}

func newLedger[K comparable, V any]() *ledger[K, V] {
	return &ledger[K, V]{entries: map[K]V{}}
}

func (l *ledger[K, V]) get(key K) V {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.entries[key]
}

func (l *ledger[K, V]) put(key K, value V) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries[key] = value
}

func (l *ledger[K, V]) drop(key K) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.entries, key)
}
