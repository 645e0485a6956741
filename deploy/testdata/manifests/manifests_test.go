// Package manifests decodes the Kubernetes manifests strictly into the types of
// Kubernetes itself: a field that there is not, or is of another type, is an error.
// It is a module of its own, so that the program depends on none of this.
package manifests

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// kinds are those that we know how to read.
func kinds() map[string]func() any {
	return map[string]func() any{
		"v1/Namespace":                            func() any { return &core.Namespace{} },
		"v1/ServiceAccount":                       func() any { return &core.ServiceAccount{} },
		"v1/ConfigMap":                            func() any { return &core.ConfigMap{} },
		"v1/Service":                              func() any { return &core.Service{} },
		"apps/v1/Deployment":                      func() any { return &apps.Deployment{} },
		"batch/v1/Job":                            func() any { return &batch.Job{} },
		"policy/v1/PodDisruptionBudget":           func() any { return &policy.PodDisruptionBudget{} },
		"networking.k8s.io/v1/NetworkPolicy":      func() any { return &networking.NetworkPolicy{} },
		"monitoring.coreos.com/v1/ServiceMonitor": func() any { return &monitoring.ServiceMonitor{} },
	}
}

func read(t *testing.T) (all []any, pods []core.PodTemplateSpec) {
	t.Helper()
	files, err := filepath.Glob("../../kubernetes/*.yaml")
	if err != nil || len(files) < 3 {
		t.Fatalf("found %d manifests: %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, part := range bytes.Split(text, []byte("\n---\n")) {
			var head struct {
				APIVersion string `json:"apiVersion"`
				Kind       string `json:"kind"`
			}
			if err := yaml.Unmarshal(part, &head); err != nil {
				t.Fatalf("%s, part %d: %v", file, i+1, err)
			}
			make, known := kinds()[head.APIVersion+"/"+head.Kind]
			if !known {
				t.Fatalf("%s, part %d: unknown kind %s/%s", file, i+1, head.APIVersion, head.Kind)
			}
			object := make()
			if err := decode(part, object); err != nil {
				t.Errorf("%s, part %d, %s: %v", file, i+1, head.Kind, err)
			}
			all = append(all, object)
			switch o := object.(type) {
			case *apps.Deployment:
				pods = append(pods, o.Spec.Template)
			case *batch.Job:
				pods = append(pods, o.Spec.Template)
			}
		}
	}
	return all, pods
}

// decode decodes as the server of Kubernetes does when it is asked to be strict: no
// unknown field, none twice, and capitals count.
func decode(text []byte, object any) error {
	text, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		return err
	}
	strict, err := json.UnmarshalStrict(text, object)
	return errors.Join(append(strict, err)...)
}

func TestDecode_FindsPlantedFaults(t *testing.T) {
	for text, want := range map[string]bool{
		"spec: {replicas: 2}": true, "spec: {replica: 2}": false, "spec: {Replicas: 2}": false, "spec: {replicas: two}": false, "spec: {replicas: 2, replicas: 3}": false,
	} {
		if err := decode([]byte(text), &apps.Deployment{}); (err == nil) != want {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestManifests_AreWhatKubernetesReads(t *testing.T) {
	all, _ := read(t)
	t.Logf("%d objects", len(all))
}

// TestManifests_MeetTheRestrictedStandard wants what Kubernetes' restricted pod
// security standard wants, and what an operator would miss.
func TestManifests_MeetTheRestrictedStandard(t *testing.T) {
	_, pods := read(t)
	if len(pods) != 2 {
		t.Fatalf("%d pods, want those of the nodes and of the migration", len(pods))
	}
	for _, pod := range pods {
		s := pod.Spec.SecurityContext
		if s == nil || s.RunAsNonRoot == nil || !*s.RunAsNonRoot || s.SeccompProfile == nil || s.SeccompProfile.Type != core.SeccompProfileTypeRuntimeDefault {
			t.Errorf("%v: may run as root, or without seccomp", pod.Labels)
		}
		if pod.Spec.AutomountServiceAccountToken == nil || *pod.Spec.AutomountServiceAccountToken {
			t.Errorf("%v: has a token of the cluster that it does not need", pod.Labels)
		}
		for _, c := range pod.Spec.Containers {
			s := c.SecurityContext
			if s == nil || s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem ||
				s.Capabilities == nil || !slices.Equal(s.Capabilities.Drop, []core.Capability{"ALL"}) {
				t.Errorf("%s: may write to its root, or gain rights", c.Name)
			}
			if c.Resources.Limits.Memory().IsZero() {
				t.Errorf("%s: no limit of memory", c.Name)
			}
			for _, variable := range c.Env {
				if variable.Value != "" {
					t.Errorf("%s: %s is in the manifest, want it by reference", c.Name, variable.Name)
				}
			}
		}
	}
	node := pods[slices.IndexFunc(pods, func(p core.PodTemplateSpec) bool { return p.Labels["app.kubernetes.io/name"] == "mianti" })]
	c := node.Spec.Containers[0]
	if c.ReadinessProbe == nil || c.ReadinessProbe.HTTPGet.Path != "/readyz" || c.LivenessProbe == nil || c.LivenessProbe.HTTPGet.Path != "/healthz" || c.StartupProbe == nil {
		t.Error("a probe is missing")
	}
	if node.Spec.Affinity == nil || node.Spec.Affinity.PodAntiAffinity == nil {
		t.Error("nodes may stand on one machine")
	}
}
