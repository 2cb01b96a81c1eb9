package testimages

import (
	"context"
	"path"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/outrigger-charts/outrigger/ci/image"
)

// AWSCLIRef is the image of aws-cli, of the version that Debian has.
const AWSCLIRef = "public.ecr.aws/aws-cli/aws-cli:2.36.17"

// awsServices are those by which credentials are obtained: the models of all are a hundred megabytes.
var awsServices = []string{"dsql", "rds", "redshift", "secretsmanager", "signin", "sso", "sso-oidc", "sts"}

// awsCLI is the library's default image for tokens of AWS. Upstream's is Amazon Linux and aws-cli with a Python of its own.
var awsCLI = Image{
	Ref:     AWSCLIRef,
	MadeOf:  "aws-cli 2.36 of Debian's awscli, only the services by which credentials are obtained, without its help",
	Key:     append(forky.key(), awsServices...),
	StandIn: awsCLIStandIn,
}

func awsCLIStandIn(ctx context.Context, e Env) (image.Spec, error) {
	f, err := forky.python(ctx, e, "awscli", "coreutils", "dash")
	if err != nil {
		return image.Spec{}, err
	}
	system(f)
	const library = "usr/lib/python3/dist-packages/awscli/"
	f.Remove(library + "data/ac.index") // of completion
	f.Remove(library + "examples")
	for _, model := range f.Match(library + "botocore/data/*/*") {
		if service := path.Dir(model); !slices.Contains(awsServices, path.Base(service)) {
			f.Remove(service)
		}
	}
	f.Symlink("usr/local/bin/aws", "/usr/bin/aws")
	f.Dir("aws", 0o755)
	authorities, err := certificates(ctx, e)
	if err != nil {
		return image.Spec{}, err
	}
	return image.Spec{Files: f, Config: v1.Config{
		Entrypoint: []string{"/usr/local/bin/aws"},
		WorkingDir: "/aws",
		Env:        []string{searchPath},
	}}, f.Copy("etc/ssl/certs/ca-certificates.crt", 0o644, authorities)
}
