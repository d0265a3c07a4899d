package journal

import (
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics counts operations. No label holds a name, so that the number of series is bounded.
type Metrics struct {
	duration *prometheus.HistogramVec
	steps    *prometheus.HistogramVec
	retries  *prometheus.CounterVec
	failures *prometheus.CounterVec
	undos    *prometheus.CounterVec
	phases   *prometheus.CounterVec
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
		retries: counter("drydock_opsrequest_step_retries_total",
			"Steps of OpsRequests that failed and were tried again.", "type", "step"),
		failures: counter("drydock_opsrequest_step_failures_total",
			"Steps of OpsRequests that failed for good.", "type", "step"),
		undos: counter("drydock_opsrequest_undos_total",
			"OpsRequests that were undone, by what made it necessary.", "type", "reason"),
		phases: counter("drydock_database_phase_transitions_total",
			"Changes of the phase of databases.", "kind", "from", "to"),
	}
	registry.MustRegister(m.duration, m.steps, m.retries, m.failures, m.undos, m.phases)
	return m
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

func (m *Metrics) finished(kind, outcome string, d time.Duration) {
	if m != nil {
		m.duration.WithLabelValues(kind, outcome).Observe(d.Seconds())
	}
}

func (m *Metrics) step(kind, step string, d time.Duration) {
	if m != nil {
		m.steps.WithLabelValues(kind, nameless(step)).Observe(d.Seconds())
	}
}

func (m *Metrics) retried(kind, step string) {
	if m != nil {
		m.retries.WithLabelValues(kind, nameless(step)).Inc()
	}
}

func (m *Metrics) failed(kind, step string) {
	if m != nil {
		m.failures.WithLabelValues(kind, nameless(step)).Inc()
	}
}

func (m *Metrics) undoes(kind, reason string) {
	if m != nil {
		m.undos.WithLabelValues(kind, reason).Inc()
	}
}

func (m *Metrics) phase(kind, from, to string) {
	if m != nil {
		m.phases.WithLabelValues(kind, from, to).Inc()
	}
}

// nameless is a step's type without the name of the pod that it is about, StopPod of StopPod--px-2.
func nameless(step string) string {
	kind, _, _ := strings.Cut(step, "--")
	return kind
}
