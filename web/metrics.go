package web

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Metrics is what /metrics shows. The parts of the exchange count for themselves; cmd/ringback registers functions
// that read those counts when somebody asks, so that counting costs a call nothing here.
// Register before the server starts.
type Metrics struct {
	registry *prometheus.Registry
	panics   prometheus.Counter
	denied   prometheus.Counter
}

// NewMetrics has the Go runtime's and the process's metrics, and the web server's own.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewPedanticRegistry(),
		panics: prometheus.NewCounter(prometheus.CounterOpts{Name: "ringback_http_panics_total",
			Help: "Panics in web handlers; each ended one request."}),
		denied: prometheus.NewCounter(prometheus.CounterOpts{Name: "ringback_http_denied_total",
			Help: "API requests without a valid token."}),
	}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), m.panics, m.denied)
	return m
}

// Sample yields one value with the values of its labels, in the order the labels were named.
type Sample func(value float64, labels ...string)

// Counter registers counts that only grow. read is called at each scrape and must not block.
func (m *Metrics) Counter(name, help string, read func(Sample), labels ...string) {
	m.registry.MustRegister(&family{prometheus.NewDesc(name, help, labels, nil), prometheus.CounterValue, read})
}

// Gauge registers a value that goes up and down. read is called at each scrape and must not block.
func (m *Metrics) Gauge(name, help string, read func(Sample), labels ...string) {
	m.registry.MustRegister(&family{prometheus.NewDesc(name, help, labels, nil), prometheus.GaugeValue, read})
}

// Histogram registers a distribution. buckets are upper bounds, rising. observe may be called from any goroutine, with the
// values of the labels in the order they were named.
func (m *Metrics) Histogram(name, help string, buckets []float64, labels ...string) (observe Sample) {
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
	m.registry.MustRegister(h)
	return func(value float64, labels ...string) { h.WithLabelValues(labels...).Observe(value) }
}

type family struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	read func(Sample)
}

func (f *family) Describe(c chan<- *prometheus.Desc) { c <- f.desc }

func (f *family) Collect(c chan<- prometheus.Metric) {
	f.read(func(v float64, labels ...string) {
		m, err := prometheus.NewConstMetric(f.desc, f.kind, v, labels...)
		if err != nil {
			m = prometheus.NewInvalidMetric(f.desc, err)
		}
		c <- m
	})
}
