package testimages

import "testing"

func TestTheCollectorsImageNamesTheVersionThatIsBuilt(t *testing.T) {
	version, err := Env{Root: "../.."}.builder().Version("collector", "go.opentelemetry.io/collector/otelcol")
	if err != nil || version != "v"+collectorVersion {
		t.Errorf("the image is %s, the module %s, %v", collectorVersion, version, err)
	}
}
