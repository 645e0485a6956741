package standin_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"mianti/connectors/standin"
)

// heard is what comes back of one question for the person whose number has a
// letter, as far as it comes.
func heard(t *testing.T, base string) string {
	t.Helper()
	const question = `{"request_id":"q-1","purpose":"x","fields":["姓名","面积","有效期止"],"subject":{"kind":"person","name":"阿依努尔·买买提","number":"37019919910914262X"}}`
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/AA/query/D-A", strings.NewReader(question))
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DisableKeepAlives: true, DisableCompression: true}
	answer, err := transport.RoundTrip(request)
	if err != nil {
		return "no answer"
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return fmt.Sprint(answer.StatusCode, answer.Header, len(text), string(text[:min(len(text), 4096)]), err)
}

func TestFaults_AllChangeTheAnswerOfTheDataInterface(t *testing.T) {
	t.Parallel()
	server, base := behind(t)
	good := heard(t, base)
	if !strings.Contains(good, "37019919910914262X") {
		t.Fatalf("good: %s", good)
	}
	elsewhere := []standin.Fault{
		standin.FaultXRoadClient, standin.FaultXRoadServer, standin.FaultXRoadOtherID, standin.FaultXRoadNoHash, // seen only at X-Road
	}
	for _, fault := range standin.Faults() {
		if slices.Contains(elsewhere, fault) {
			continue
		}
		if err := server.SetRules(standin.Rule{Fault: fault}); err != nil {
			t.Fatal(err)
		}
		if heard(t, base) == good {
			t.Errorf("%s changes nothing", fault)
		}
	}
}
