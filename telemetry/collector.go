package telemetry

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

const (
	collectTimeout = 10 * time.Second
	// mostRefusal is how much of a refusal is read, so that its connection can be used on.
	mostRefusal = 64 << 10
)

// collector sends spans as OTLP over HTTP. The module that is meant for it links gRPC
// and its gateway, twice what all else of OpenTelemetry takes, for one POST.
type collector struct {
	url     string
	client  *http.Client
	failed  func(error)
	failing atomic.Bool
}

func newCollector(url string, failed func(error)) *collector {
	if failed == nil {
		failed = func(error) {}
	}
	return &collector{url: url, failed: failed, client: &http.Client{
		Timeout: collectTimeout,
		// No proxy from the environment, and no way to elsewhere.
		Transport:     &http.Transport{MaxIdleConns: 2, IdleConnTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Start does nothing: it connects when there is something to send.
func (*collector) Start(context.Context) error { return nil }

// Stop gives the connection up.
func (c *collector) Stop(context.Context) error {
	c.client.CloseIdleConnections()
	return nil
}

// UploadTraces sends spans. Those that cannot be sent are lost: they are told of once,
// and not kept.
func (c *collector) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	err := c.send(ctx, spans)
	if was := c.failing.Swap(err != nil); was != (err != nil) {
		c.failed(err)
	}
	return nil
}

func (c *collector) send(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	// On the wire an ExportTraceServiceRequest and a TracesData are the same: field 1,
	// the spans of each resource.
	body, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans})
	if err != nil {
		return fmt.Errorf("encode spans: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("send spans: %w", err)
	}
	request.Header.Set("Content-Type", "application/x-protobuf")
	response, err := c.client.Do(request)
	if err != nil {
		return fmt.Errorf("send spans: %w", err)
	}
	defer response.Body.Close() // what it says is not kept
	if _, err := io.Copy(io.Discard, io.LimitReader(response.Body, mostRefusal)); err != nil {
		return fmt.Errorf("send spans: %w", err)
	}
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("send spans: the collector answered %d", response.StatusCode)
	}
	return nil
}
