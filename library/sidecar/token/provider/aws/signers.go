package aws

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"
)

// refreshBefore is how long the credentials that sign have to live yet: as long as a token does.
const refreshBefore = 15 * time.Minute

// signers is where the credentials come from that sign.
type signers struct {
	directory string // of files; empty for what the SDK finds
	client    *http.Client

	mutex sync.Mutex
	last  aws.Credentials // those of before

	loading sync.Mutex
	config  *aws.Config // once it has been read
}

// signing returns the credentials that sign, and what is to be told of them.
func (s *signers) signing(ctx context.Context, region string) (found aws.Credentials, note string, err error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.directory != "" {
		found, err = fromFiles(s.directory)
	} else {
		found, note, err = s.fromSDK(ctx, region)
	}
	if err != nil {
		// A Secret that is replaced, and a metadata service that is away, are back after a while.
		if !s.last.HasKeys() || s.last.Expired() {
			return found, "", err
		}
		return s.last, fmt.Sprintf("%s; the credentials of before sign", err), nil
	}
	s.last = found
	return found, note, nil
}

const (
	keyFile, secretFile      = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"
	sessionFile, expiresFile = "AWS_SESSION_TOKEN", "AWS_CREDENTIAL_EXPIRATION"
)

// fromFiles reads the files of a directory, all of the same version where it is a volume of Kubernetes's.
func fromFiles(directory string) (aws.Credentials, error) {
	for range 3 {
		// The kubelet swaps one link for all files.
		version, volume := filepath.EvalSymlinks(filepath.Join(directory, "..data"))
		if volume != nil {
			version = directory
		}
		found, err := fromVersion(version, directory)
		if now, _ := filepath.EvalSymlinks(filepath.Join(directory, "..data")); volume == nil && now != version {
			continue
		}
		return found, err
	}
	return aws.Credentials{}, fmt.Errorf("the files of %s are replaced all the time", directory)
}

func fromVersion(version, directory string) (aws.Credentials, error) {
	read := func(name string) string {
		text, _ := os.ReadFile(filepath.Join(version, name)) // what is not there is empty
		return strings.TrimSpace(string(text))
	}
	found := aws.Credentials{AccessKeyID: read(keyFile), SecretAccessKey: read(secretFile), SessionToken: read(sessionFile)}
	if !found.HasKeys() {
		return found, fmt.Errorf("the Secret of the credentials has no %s, or no %s: see %s",
			keyFile, secretFile, directory)
	}
	if strings.HasPrefix(found.AccessKeyID, "ASIA") && found.SessionToken == "" {
		return found, fmt.Errorf("the Secret of the credentials has no %s, which goes with its temporary key: see %s",
			sessionFile, directory)
	}
	if text := read(expiresFile); text != "" {
		expires, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return found, fmt.Errorf("%s in %s is no time like 2026-01-02T03:04:05Z", expiresFile, directory)
		}
		found.CanExpire, found.Expires = true, expires
	}
	return found, nil
}

// fromSDK returns what the SDK's chain finds. What expires soon is asked for again first.
func (s *signers) fromSDK(ctx context.Context, region string) (aws.Credentials, string, error) {
	loaded, err := s.load(ctx, region)
	if err != nil {
		return aws.Credentials{}, "", err
	}
	found, err := loaded.Credentials.Retrieve(ctx)
	if err != nil {
		return found, "", whereSought(err)
	}
	if found.CanExpire && time.Until(found.Expires) < refreshBefore {
		if cache, ok := loaded.Credentials.(*aws.CredentialsCache); ok {
			cache.Invalidate()
		}
		again, err := loaded.Credentials.Retrieve(ctx)
		if err != nil {
			return found, fmt.Sprintf("%s; the credentials of before sign", whereSought(err)), nil
		}
		found = again
	}
	if text := os.Getenv(expiresFile); text != "" && found.AccessKeyID == os.Getenv(keyFile) && !found.CanExpire {
		if expires, err := time.Parse(time.RFC3339, text); err == nil {
			found.CanExpire, found.Expires = true, expires
		}
	}
	return found, "", nil
}

// load reads the SDK's configuration, once. Region is what it has where nothing else says one.
func (s *signers) load(ctx context.Context, region string) (aws.Config, error) {
	s.loading.Lock()
	defer s.loading.Unlock()
	if s.config != nil {
		return *s.config, nil
	}
	loaded, err := config.LoadDefaultConfig(ctx,
		config.WithHTTPClient(ofSDK(s.client)),
		config.WithEndpointCredentialOptions(func(o *endpointcreds.Options) { o.HTTPClient = s.client }),
		config.WithDefaultRegion(region),
		config.WithLogger(logging.Nop{}),
		// A window would make the time look earlier at which they expire: fromSDK has one of its own.
		config.WithCredentialsCacheOptions(func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = 0 }),
	)
	if err != nil {
		return loaded, fmt.Errorf("the configuration of AWS's SDK: %w", err)
	}
	s.config = &loaded
	return loaded, nil
}

// ofSDK is the client, or where the environment adds authorities for AWS alone (AWS_CA_BUNDLE) one of the SDK's own that does as
// it does: the SDK adds them to no other.
func ofSDK(client *http.Client) config.HTTPClient {
	own, ok := client.Transport.(*http.Transport)
	if !ok || os.Getenv("AWS_CA_BUNDLE") == "" {
		return client
	}
	return awshttp.NewBuildableClient().WithTimeout(client.Timeout).WithTransportOptions(func(t *http.Transport) {
		t.Proxy, t.DialContext, t.TLSClientConfig = own.Proxy, own.DialContext, own.TLSClientConfig.Clone()
		t.TLSHandshakeTimeout, t.MaxIdleConns, t.IdleConnTimeout = own.TLSHandshakeTimeout, own.MaxIdleConns, own.IdleConnTimeout
	})
}

// whereSought says which credentials could not be had, by what the SDK's chain goes by.
func whereSought(err error) error {
	role, file := os.Getenv("AWS_ROLE_ARN"), os.Getenv("AWS_WEB_IDENTITY_TOKEN_FILE")
	container := firstSet("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI")
	said := gist(err)
	switch {
	case file != "":
		return fmt.Errorf("assuming the role %s (AWS_ROLE_ARN) by the token in %s (AWS_WEB_IDENTITY_TOKEN_FILE): %s",
			role, file, said)
	case firstSet("AWS_PROFILE") != "":
		return fmt.Errorf("the credentials of the profile %s (AWS_PROFILE): %s", os.Getenv("AWS_PROFILE"), said)
	case container != "":
		return fmt.Errorf("the credentials that %s names (%s): %s", container, os.Getenv(container), said)
	}
	return fmt.Errorf("no credentials of AWS were found: there is no AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, no "+
		"AWS_WEB_IDENTITY_TOKEN_FILE (a role of the service account), no AWS_CONTAINER_CREDENTIALS_FULL_URI "+
		"(EKS Pod Identity), and none of the node's metadata service: %s", said)
}

func firstSet(names ...string) string {
	for _, name := range names {
		if os.Getenv(name) != "" {
			return name
		}
	}
	return ""
}

// gist is what AWS said, or else why it could not be asked, in a line.
func gist(err error) string {
	if said, ok := errors.AsType[smithy.APIError](err); ok {
		return strings.Join(strings.Fields(said.ErrorCode()+": "+said.ErrorMessage()), " ")
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}
