package store

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/internal/webhook"
)

var _ webhook.Endpoints = (*Store)(nil)

func saveEndpoint(t *testing.T, s *Store, e webhook.Endpoint) {
	t.Helper()
	if err := s.SaveEndpoint(t.Context(), e); err != nil {
		t.Fatal(err)
	}
}

func wantEndpoint(t *testing.T, s *Store, want webhook.Endpoint) {
	t.Helper()
	got, err := s.Endpoint(t.Context(), want.System)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("endpoint (-want +got):\n%s", diff)
	}
}

func TestSaveEndpoint_KeepsTheGenerationAndEnablesAgain(t *testing.T) {
	t.Parallel()
	eachStoreAt(t, func(t *testing.T, s *Store, pass func(time.Duration)) {
		saveSystem(t, s, "spj-1")
		saveEndpoint(t, s, webhook.Endpoint{System: "spj-1", URL: "https://spj.example/a"})
		want := webhook.Endpoint{System: "spj-1", URL: "https://spj.example/a", Generation: 1, RotatedAt: time.Time{}}
		wantEndpoint(t, s, want)

		pass(time.Hour)
		want.Generation, want.RotatedAt = 2, testTime.Add(time.Hour)
		if got, err := s.RotateEndpoint(t.Context(), "spj-1"); err != nil || !cmp.Equal(got, want) {
			t.Errorf("RotateEndpoint = %+v, %v, want %+v", got, err, want)
		}
		if err := s.DisableEndpoint(t.Context(), "spj-1", "接收方答复 410"); err != nil {
			t.Fatal(err)
		}
		want.Disabled, want.Reason = true, "接收方答复 410"
		wantEndpoint(t, s, want)

		saveEndpoint(t, s, webhook.Endpoint{System: "spj-1", URL: "http://10.0.0.1/b", Network: catalog.NetworkPrivate})
		want.URL, want.Network, want.Disabled, want.Reason = "http://10.0.0.1/b", catalog.NetworkPrivate, false, ""
		wantEndpoint(t, s, want)
	})
}

func TestEndpoint_OfADisabledSystemIsDisabled(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		saveSystem(t, s, "spj-1")
		saveEndpoint(t, s, webhook.Endpoint{System: "spj-1", URL: "https://spj.example/a"})
		if err := s.SaveSystem(t.Context(), exchange.System{ID: "spj-1", Department: "SPJ", Disabled: true}); err != nil {
			t.Fatal(err)
		}
		wantEndpoint(t, s, webhook.Endpoint{System: "spj-1", URL: "https://spj.example/a", Generation: 1, Disabled: true})
	})
}

func TestEndpoint_ThatIsNotThereIsNotFound(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		_, err := s.Endpoint(t.Context(), "spj-1")
		_, rotated := s.RotateEndpoint(t.Context(), "spj-1")
		for doing, err := range map[string]error{
			"Endpoint": err, "RotateEndpoint": rotated, "DisableEndpoint": s.DisableEndpoint(t.Context(), "spj-1", ""),
			"SaveEndpoint of an unknown system": s.SaveEndpoint(t.Context(), webhook.Endpoint{System: "spj-1", URL: "https://spj.example"}),
		} {
			if !errors.Is(err, fault.NotFound) {
				t.Errorf("%s: %v, want not found", doing, err)
			}
		}
	})
}

func TestSaveEndpoint_RefusesANetworkThatThereIsNot(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		saveSystem(t, s, "spj-1")
		if err := s.SaveEndpoint(t.Context(), webhook.Endpoint{System: "spj-1", URL: "https://spj.example", Network: "any"}); err == nil {
			t.Error("it was saved")
		}
	})
}
