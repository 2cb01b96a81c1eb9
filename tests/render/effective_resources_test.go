package render

import (
	"fmt"
	"maps"
	"math/rand"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	helpers "k8s.io/component-helpers/resource"
	"k8s.io/kubectl/pkg/util/qos"
	"sigs.k8s.io/yaml"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// effective is what outrigger.effectiveResources prints.
type effective struct {
	Requests, Limits map[string]string
	QOSClass         string `json:"qosClass"`
}

// effectiveChart prints the effective resources of many pods, in one go. A pod may come as text, as from a named template,
// and so with its numbers as float64.
func effectiveChart(t testing.TB) harness.Chart {
	t.Helper()
	return harness.NewChart(t, map[string]string{"templates/effective.yaml": `
apiVersion: v1
kind: ConfigMap
metadata: {name: effective}
data:
{{- range $index, $pod := .Values.pods }}
  {{- if kindIs "string" $pod }}{{ $pod = fromYaml $pod }}{{ end }}
  pod-{{ $index }}: |
    {{- include "outrigger.effectiveResources" (dict "context" $ "podTemplate" $pod) | nindent 4 }}
{{- end }}`})
}

// effectiveValues puts pod specs, given as YAML, into values; every other one as text.
func effectiveValues(specs []string, outrigger string) string {
	var values strings.Builder
	fmt.Fprintf(&values, "outrigger: %s\npods:\n", outrigger)
	for index, spec := range specs {
		if pod := fmt.Sprintf("{spec: %s}", spec); index%2 == 0 {
			fmt.Fprintf(&values, "- %s\n", pod)
		} else {
			fmt.Fprintf(&values, "- %q\n", pod)
		}
	}
	return values.String()
}

func readEffective(t testing.TB, data map[string]string, specs []string) []effective {
	t.Helper()
	all := make([]effective, len(specs))
	for index := range specs {
		require.NoError(t, yaml.UnmarshalStrict([]byte(data[fmt.Sprint("pod-", index)]), &all[index]))
	}
	return all
}

func renderEffective(t testing.TB, specs []string, outrigger string) []effective {
	t.Helper()
	objects := effectiveChart(t).Render(t, effectiveValues(specs, outrigger))
	return readEffective(t, harness.Find[*corev1.ConfigMap](t, objects).Data, specs)
}

// renderEffectiveQuickly is renderEffective with Helm 3 alone, for very many pods: the harness renders everything twice.
func renderEffectiveQuickly(t testing.TB, specs []string) []effective {
	t.Helper()
	loaded, err := loader.LoadDir(effectiveChart(t).Write(t))
	require.NoError(t, err)
	values, err := chartutil.ReadValues([]byte(effectiveValues(specs, "{}")))
	require.NoError(t, err)
	capabilities := *chartutil.DefaultCapabilities
	capabilities.KubeVersion = chartutil.KubeVersion{Version: harness.KubeVersion}
	all, err := chartutil.ToRenderValues(loaded, values, chartutil.ReleaseOptions{Name: "demo"}, &capabilities)
	require.NoError(t, err)
	texts, err := engine.Render(loaded, all)
	require.NoError(t, err)
	var config corev1.ConfigMap
	require.NoError(t, yaml.Unmarshal([]byte(texts["shop/templates/effective.yaml"]), &config))
	return readEffective(t, config.Data, specs)
}

func TestEffectiveResourcesFollowKEP753(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ spec, expected string }{
		// max(app 100m + sidecars 50m + 30m, migrate 500m + the one sidecar before it 50m, late 60m + 50m + 30m)
		"a run-once init container adds to the sidecars before it alone": {
			`{initContainers: [
				{name: first, image: i, restartPolicy: Always, resources: {requests: {cpu: 50m}}},
				{name: migrate, image: i, resources: {requests: {cpu: 500m}}},
				{name: second, image: i, restartPolicy: Always, resources: {requests: {cpu: 30m}}},
				{name: late, image: i, resources: {requests: {cpu: 60m}}}],
			containers: [{name: app, image: i, resources: {requests: {cpu: 100m}}}]}`,
			`{requests: {cpu: 550m}, limits: {cpu: unlimited, memory: unlimited}, qosClass: Burstable}`,
		},
		"sidecars add to the app": {
			`{initContainers: [{name: s, image: i, restartPolicy: Always, resources: {requests: {cpu: 10m, memory: 16Mi}, limits: {memory: 64Mi}}}],
			containers: [{name: app, image: i, resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {memory: 64Mi}}}]}`,
			`{requests: {cpu: 110m, memory: 80Mi}, limits: {cpu: unlimited, memory: 128Mi}, qosClass: Burstable}`,
		},
		"a missing request is the limit": {
			`{containers: [{name: app, image: i, resources: {limits: {cpu: 1, memory: 1Gi}}}, {name: b, image: i, resources: {limits: {cpu: 0.5, memory: 1.5Gi}}}]}`,
			`{requests: {cpu: 1500m, memory: 2560Mi}, limits: {cpu: 1500m, memory: 2560Mi}, qosClass: Guaranteed}`,
		},
		"equal in two spellings": {
			`{containers: [{name: app, image: i, resources: {requests: {cpu: 1000m, memory: 0.5Gi}, limits: {cpu: 1, memory: 512Mi}}}]}`,
			`{requests: {cpu: "1", memory: 512Mi}, limits: {cpu: "1", memory: 512Mi}, qosClass: Guaranteed}`,
		},
		"what is less than a thousandth is one": {
			`{containers: [{name: app, image: i, resources: {requests: {cpu: 1n}}}, {name: b, image: i, resources: {requests: {cpu: 1100u}}}]}`,
			`{requests: {cpu: 3m}, limits: {cpu: unlimited, memory: unlimited}, qosClass: Burstable}`,
		},
		"one container without a limit, or with 0, is unlimited": {
			`{containers: [{name: app, image: i, resources: {limits: {cpu: 1, memory: 1Gi}}}, {name: b, image: i, resources: {limits: {cpu: 0}}}]}`,
			`{requests: {cpu: "1", memory: 1Gi}, limits: {cpu: unlimited, memory: unlimited}, qosClass: Burstable}`,
		},
		"a run-once init container without a limit is unlimited while it runs": {
			`{initContainers: [{name: migrate, image: i}], containers: [{name: app, image: i, resources: {limits: {cpu: 1, memory: 1Gi}}}]}`,
			`{requests: {cpu: "1", memory: 1Gi}, limits: {cpu: unlimited, memory: unlimited}, qosClass: Burstable}`,
		},
		"devices, hugepages and storage are never unlimited": {
			`{containers: [
				{name: app, image: i, resources: {limits: {cpu: 1, memory: 1Gi, nvidia.com/gpu: 2, hugepages-2Mi: 4Mi, ephemeral-storage: 3G}}},
				{name: b, image: i}]}`,
			`{requests: {cpu: "1", memory: 1Gi, nvidia.com/gpu: "2", hugepages-2Mi: 4Mi, ephemeral-storage: "3000000000"},
			limits: {cpu: unlimited, memory: unlimited, nvidia.com/gpu: "2", hugepages-2Mi: 4Mi, ephemeral-storage: "3000000000"}, qosClass: Burstable}`,
		},
		"overhead adds to requests, and to limits that there are": {
			`{overhead: {cpu: 250m, memory: 120Mi, ephemeral-storage: 1Gi}, containers: [{name: app, image: i, resources: {requests: {cpu: 1}, limits: {memory: 8Mi}}}]}`,
			`{requests: {cpu: 1250m, memory: 128Mi, ephemeral-storage: 1Gi}, limits: {cpu: unlimited, memory: 128Mi}, qosClass: Burstable}`,
		},
		"the pod's own resources replace what the containers add up to": {
			`{resources: {requests: {cpu: 2}, limits: {cpu: 2, memory: 1Gi}}, containers: [{name: app, image: i, resources: {requests: {cpu: 1, memory: 8Mi}}}, {name: b, image: i}]}`,
			`{requests: {cpu: "2", memory: 8Mi}, limits: {cpu: "2", memory: 1Gi}, qosClass: Burstable}`,
		},
		"the pod's own limits are its requests where no container asks": {
			`{resources: {limits: {cpu: 2, memory: 1Gi}}, containers: [{name: app, image: i}]}`,
			`{requests: {cpu: "2", memory: 1Gi}, limits: {cpu: "2", memory: 1Gi}, qosClass: Guaranteed}`,
		},
		"nothing given": {
			`{containers: [{name: app, image: i}]}`,
			`{requests: {}, limits: {cpu: unlimited, memory: unlimited}, qosClass: BestEffort}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			test.spec = strings.ReplaceAll(test.spec, "\t", "")
			var expected effective
			require.NoError(t, yaml.UnmarshalStrict([]byte(strings.ReplaceAll(test.expected, "\t", "")), &expected))

			for _, actual := range renderEffective(t, []string{flat(test.spec), flat(test.spec)}, "{}") {
				assert.Equal(t, expected, actual)
				assert.Empty(t, differences(t, test.spec, actual), "as Kubernetes has it")
			}
		})
	}
}

func TestEffectiveResourcesCountTheSidecarsThatTheLibraryAdds(t *testing.T) {
	t.Parallel()
	actual := renderEffective(t, []string{`{containers: [{name: app, image: i, resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {memory: 64Mi}}}]}`},
		`{containers: {helper: {image: "h:1", resources: {requests: {cpu: 7m}}}}}`)

	assert.Equal(t, effective{
		Requests: map[string]string{"cpu": "107m", "memory": "80Mi"},
		Limits:   map[string]string{"cpu": "unlimited", "memory": "128Mi"},
		QOSClass: "Burstable",
	}, actual[0])
}

func TestEveryWayToWriteAQuantityIsReadExactly(t *testing.T) {
	t.Parallel()
	var specs, written []string
	for _, quantity := range []string{
		"0", `"0"`, "1", "+1", `"+1"`, "007", `"007"`, "1.", `".5"`, ".5", "0.5", "1.50", "100m", "1n", "999999n", "1000001n", "1u", "1500u", "0.1m", "1k", "1M",
		"1G", "1T", "1P", "1E", "4E", "1e3", "1E3", `"1e3"`, `"1E3"`, `"1.5e3"`, `"1e-3"`, `"12e+6"`, "1e-7", "1000000", "1000001", "123456789", "1e6", "2.5e-1",
		"1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei", "7Ei", "1.5Gi", ".5Mi", "1.1Ki", "1.0009765625Ki", "0.30000000000000004Gi", "7.999Ei",
		"3.141592653589793238Ei", "128974848", "129e6", "123Mi", `"1152921504606846977"`, `"9223372036854775807"`, `"9007199254740993"`, "9007199254740993m",
		`"8Ei"`, "1025Ki", "1048575Ki",
	} {
		written = append(written, quantity)
		specs = append(specs, fmt.Sprintf(`{containers: [{name: app, image: i, resources: {requests: {cpu: %s, memory: %[1]s}}}]}`, quantity))
	}
	for _, shift := range []int{0, 1} { // once as a value, once as text
		shifted := append(specs[:shift:shift], specs...)
		for place, actual := range renderEffective(t, shifted, "{}") {
			assert.Empty(t, differences(t, shifted[place], actual), "%s", written[max(0, place-shift)])
		}
	}
}

func TestWhatIsNoQuantityIsAnErrorThatShowsIt(t *testing.T) {
	t.Parallel()
	for _, quantity := range []string{"1x", "1 Gi", "-1", "1.2.3", "Mi", "1KI", "1e", "1mi", "1m2m", "."} {
		chart := harness.NewChart(t, map[string]string{"templates/x.yaml": `{{ include "outrigger.effectiveResources" (dict "context" . "podTemplate" .Values.pod) }}`})

		message := chart.RenderError(t, fmt.Sprintf(`pod: {spec: {containers: [{name: app, image: i, resources: {requests: {cpu: %q}}}]}}`, quantity))

		assert.Contains(t, message, fmt.Sprintf("%q is no quantity of a resource", quantity))
	}
}

// OUTRIGGER_FUZZ_SEED repeats one run.
func TestTenThousandRandomPodsHaveTheResourcesThatKubernetesGivesThem(t *testing.T) {
	t.Parallel()
	seed := time.Now().UnixNano()
	if value, err := strconv.ParseInt(os.Getenv("OUTRIGGER_FUZZ_SEED"), 10, 64); err == nil {
		seed = value
	}
	percent := debug.SetGCPercent(800) // which saves a quarter of the time
	t.Cleanup(func() { debug.SetGCPercent(percent) })
	const batches, size = 5, 2000
	for batch := range batches {
		t.Run(fmt.Sprintf("batch %d of OUTRIGGER_FUZZ_SEED=%d", batch, seed), func(t *testing.T) {
			t.Parallel()
			random := &pods{Rand: rand.New(rand.NewSource(seed + int64(batch)))}
			specs := make([]string, size)
			for index := range specs {
				specs[index] = random.pod()
			}

			classes, failed := map[string]int{}, 0
			for index, actual := range renderEffectiveQuickly(t, specs) {
				classes[actual.QOSClass]++
				if found := differences(t, specs[index], actual); len(found) > 0 && failed < 3 {
					failed++
					t.Errorf("%s\n%s\nseed %d", specs[index], strings.Join(found, "\n"), seed)
				}
			}
			assert.Len(t, classes, 3, "every class is tried: %v", classes)
		})
	}
}

// pods makes random pods. Each of them draws its quantities from a few of its own, so that some are equal.
type pods struct {
	*rand.Rand
	quantities []string
}

// pod returns a pod spec as JSON that Kubernetes could take: any order of init containers, any quantity.
func (random *pods) pod() string {
	style := random.Intn(8)
	random.quantities = nil
	for range 1 + random.Intn(6) {
		random.quantities = append(random.quantities, random.newQuantity())
	}
	var inits, apps []string
	for range random.Intn(1 + random.Intn(5)) {
		policy := ""
		if random.Intn(2) == 0 {
			policy = `"restartPolicy":"Always",`
		}
		inits = append(inits, fmt.Sprintf(`{"name":"i%d","image":"i",%s"resources":%s}`, len(inits), policy, random.resources(style)))
	}
	for range 1 + random.Intn(1+random.Intn(3)) {
		apps = append(apps, fmt.Sprintf(`{"name":"a%d","image":"i","resources":%s}`, len(apps), random.resources(style)))
	}
	fields := []string{fmt.Sprintf(`"initContainers":[%s],"containers":[%s]`, strings.Join(inits, ","), strings.Join(apps, ","))}
	if random.Intn(5) == 0 {
		fields = append(fields, fmt.Sprintf(`"overhead":%s`, random.list([]string{"cpu", "memory", "ephemeral-storage"})))
	}
	if random.Intn(5) == 0 {
		fields = append(fields, fmt.Sprintf(`"resources":%s`, random.resources(random.Intn(3))))
	}
	return "{" + strings.Join(fields, ",") + "}"
}

// resources returns a container's resources. Style 0 is on the way to Guaranteed, 1 to BestEffort.
func (random *pods) resources(style int) string {
	shared := func() string { // what has requests equal to limits
		return random.list([]string{"hugepages-2Mi", "hugepages-1Gi", "nvidia.com/gpu"}[:random.Intn(4)])
	}
	switch style {
	case 0:
		cpu, memory := random.quantity(), random.quantity()
		resources := fmt.Sprintf(`{"limits":{"cpu":%s,"memory":%s}`, cpu, memory)
		if random.Intn(2) == 0 {
			resources += fmt.Sprintf(`,"requests":{"cpu":%s,"memory":%s}`, cpu, memory)
		}
		return resources + "}"
	case 1:
		return []string{"{}", `{"requests":{},"limits":null}`, `{"limits":{"cpu":0}}`, `{"requests":{"memory":"0"}}`, `{"limits":` + shared() + `}`}[random.Intn(5)]
	default:
		names := []string{"cpu", "memory", "ephemeral-storage"}
		both := strings.Trim(shared(), "{}")
		join := func(list string) string { return "{" + strings.Trim(strings.Trim(list, "{}")+","+both, ",") + "}" }
		return fmt.Sprintf(`{"requests":%s,"limits":%s}`, join(random.list(names)), join(random.list(names)))
	}
}

func (random *pods) list(names []string) string {
	var entries []string
	for _, name := range names {
		if random.Intn(2) > 0 {
			entries = append(entries, fmt.Sprintf(`%q:%s`, name, random.quantity()))
		}
	}
	return "{" + strings.Join(entries, ",") + "}"
}

func (random *pods) quantity() string {
	return random.quantities[random.Intn(len(random.quantities))]
}

// newQuantity returns a quantity as JSON, below 2^60, so that no pod comes to 2^63.
func (random *pods) newQuantity() string {
	number := strconv.Itoa(random.Intn(1000))
	switch random.Intn(12) {
	case 0:
		return "0"
	case 1: // a number
		return []string{number, number + "." + number, "0." + number, number + "e3", number + "000000", "1e-" + strconv.Itoa(random.Intn(12))}[random.Intn(6)]
	case 2: // an exponent
		return fmt.Sprintf(`"%s%c%d"`, number, "eE"[random.Intn(2)], random.Intn(27)-12)
	case 3: // a large whole number
		return fmt.Sprintf(`"%d"`, random.Int63n(1<<60))
	case 4: // a fraction
		return fmt.Sprintf(`"%d.%d%s"`, random.Intn(9), random.Intn(1_000_000_000), []string{"", "n", "u", "m", "k", "M", "G", "T", "P", "Ki", "Mi", "Gi", "Ti", "Pi"}[random.Intn(14)])
	case 5: // odd spellings
		return fmt.Sprintf(`"%s%s"`, []string{"+", "00", "+0", "0.", "."}[random.Intn(5)], number)
	case 6:
		return fmt.Sprintf(`"0.%dEi"`, random.Intn(1000))
	default:
		return fmt.Sprintf(`"%s%s"`, number, []string{"", "n", "u", "m", "m", "k", "M", "G", "T", "P", "Ki", "Mi", "Mi", "Gi", "Ti", "Pi"}[random.Intn(16)])
	}
}

// differences compares what was printed with what Kubernetes makes of a pod spec.
func differences(t testing.TB, spec string, actual effective) []string {
	t.Helper()
	var pod corev1.Pod
	require.NoError(t, yaml.UnmarshalStrict([]byte(flat(spec)), &pod.Spec), spec)
	admit(&pod)
	// Of copies: a quantity that is no 64-bit number is a pointer, to which the helpers add the overhead in place.
	limits := helpers.PodLimits(pod.DeepCopy(), helpers.PodResourcesOptions{})
	unlimited := []string{}
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		if isUnlimited(&pod, name) {
			unlimited = append(unlimited, string(name))
			delete(limits, name)
		}
	}

	shown := maps.Clone(actual.Limits)
	var found []string
	for _, name := range slices.Sorted(maps.Keys(shown)) {
		if shown[name] == "unlimited" {
			delete(shown, name)
			if !slices.Contains(unlimited, name) {
				found = append(found, fmt.Sprintf("the limit of %s is not unlimited", name))
			}
		}
	}
	found = append(found, different("requests", helpers.PodRequests(pod.DeepCopy(), helpers.PodResourcesOptions{}), actual.Requests)...)
	found = append(found, different("limits", limits, shown)...)
	if class := qos.ComputePodQOS(&pod); string(class) != actual.QOSClass {
		found = append(found, fmt.Sprintf("qosClass is %s, want %s", actual.QOSClass, class))
	}
	return found
}

func different(kind string, expected corev1.ResourceList, actual map[string]string) []string {
	var found []string
	for name, text := range actual {
		want, isWanted := expected[corev1.ResourceName(name)]
		got, err := resource.ParseQuantity(text)
		if !isWanted || err != nil || got.Cmp(want) != 0 {
			found = append(found, fmt.Sprintf("%s of %s are %q, want %s (%t)", kind, name, text, want.String(), isWanted))
		}
	}
	for name, want := range expected {
		if _, isThere := actual[string(name)]; !isThere {
			found = append(found, fmt.Sprintf("%s of %s are missing, want %s", kind, name, want.String()))
		}
	}
	return found
}

// isUnlimited is the kubelet's rule (ResourceConfigForPod): one container without a limit, and none of the pod's own.
func isUnlimited(pod *corev1.Pod, name corev1.ResourceName) bool {
	if pod.Spec.Resources != nil {
		if limit, isSet := pod.Spec.Resources.Limits[name]; isSet {
			return limit.IsZero()
		}
	}
	return slices.ContainsFunc(append(pod.Spec.InitContainers, pod.Spec.Containers...), func(container corev1.Container) bool {
		limit := container.Resources.Limits[name]
		return limit.IsZero()
	})
}

// admit applies the API server's defaults of resources (pkg/apis/core/v1/defaults.go: SetDefaults_ResourceList,
// SetDefaults_Pod).
func admit(pod *corev1.Pod) {
	roundUp(pod.Spec.Overhead)
	for _, containers := range [][]corev1.Container{pod.Spec.Containers, pod.Spec.InitContainers} {
		for index := range containers {
			own := &containers[index].Resources
			roundUp(own.Requests)
			roundUp(own.Limits)
			own.Requests = withDefaults(own.Requests, own.Limits)
		}
	}
	own := pod.Spec.Resources
	if own == nil {
		return
	}
	roundUp(own.Requests)
	roundUp(own.Limits)
	for _, list := range []corev1.ResourceList{own.Requests, own.Limits} { // validation takes no others
		maps.DeleteFunc(list, func(name corev1.ResourceName, _ resource.Quantity) bool {
			return !helpers.IsSupportedPodLevelResource(name)
		})
	}
	if len(own.Requests)+len(own.Limits) > 0 {
		hugepages := helpers.AggregateContainerLimits(pod, helpers.PodResourcesOptions{})
		maps.DeleteFunc(hugepages, func(name corev1.ResourceName, _ resource.Quantity) bool {
			_, isRequested := own.Requests[name]
			return isRequested || !strings.HasPrefix(string(name), corev1.ResourceHugePagesPrefix)
		})
		own.Limits = withDefaults(own.Limits, hugepages)
	}
	if len(own.Limits) > 0 {
		overcommitted := helpers.AggregateContainerRequests(pod, helpers.PodResourcesOptions{})
		maps.DeleteFunc(overcommitted, func(name corev1.ResourceName, _ resource.Quantity) bool {
			return name != corev1.ResourceCPU && name != corev1.ResourceMemory
		})
		own.Requests = withDefaults(withDefaults(own.Requests, overcommitted), own.Limits)
	}
}

func roundUp(list corev1.ResourceList) {
	for name, quantity := range list {
		quantity.RoundUp(resource.Milli)
		list[name] = quantity
	}
}

func withDefaults(list, defaults corev1.ResourceList) corev1.ResourceList {
	all := defaults.DeepCopy()
	if all == nil {
		all = corev1.ResourceList{}
	}
	maps.Copy(all, list)
	return all
}

// flat puts YAML in flow style on one line.
func flat(text string) string {
	return strings.Join(strings.Fields(text), " ")
}
