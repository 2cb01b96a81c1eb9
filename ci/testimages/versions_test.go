package testimages

import "testing"

func TestAnImageNamesTheVersionThatIsBuilt(t *testing.T) {
	for _, test := range []struct{ module, dependency, named string }{
		{"collector", "go.opentelemetry.io/collector/otelcol", collectorVersion},
		{"loki", "github.com/grafana/loki/v3", lokiVersion},
		{"rclone", "github.com/rclone/rclone", rcloneVersion},
		{"restic", "github.com/restic/restic", resticVersion},
		{"versitygw", "github.com/versity/versitygw", versityGWVersion},
	} {
		version, err := Env{Root: "../.."}.builder().Version(test.module, test.dependency)
		if err != nil || version != "v"+test.named {
			t.Errorf("the image is %s, the module %s, %v", test.named, version, err)
		}
	}
}
