package journal

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics counts operations. No label holds a name, so that the number of series is bounded.
type Metrics struct {
	duration *prometheus.HistogramVec
	steps    *prometheus.HistogramVec
}

// NewMetrics makes and registers the metrics.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	m := &Metrics{
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "drydock_opsrequest_duration_seconds",
			Help:    "Time from the creation of an OpsRequest to its end.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 14),
		}, []string{"type", "outcome"}),
		steps: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "drydock_opsrequest_step_duration_seconds",
			Help:    "Time that a step of an OpsRequest was under way.",
			Buckets: prometheus.ExponentialBuckets(0.1, 2, 16),
		}, []string{"type", "step"}),
	}
	registry.MustRegister(m.duration, m.steps)
	return m
}

func (m *Metrics) finished(kind, outcome string, d time.Duration) {
	if m != nil {
		m.duration.WithLabelValues(kind, outcome).Observe(d.Seconds())
	}
}

func (m *Metrics) step(kind, step string, d time.Duration) {
	if m != nil {
		m.steps.WithLabelValues(kind, step).Observe(d.Seconds())
	}
}
