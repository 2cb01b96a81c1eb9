package aws

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/library/sidecar/document"
	"github.com/outrigger-charts/outrigger/library/sidecar/token/provider/internal/inprocess"
)

// assumed is STS's answer, as https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html has it.
func assumed(key string, until time.Time) string {
	return fmt.Sprintf(`<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleWithWebIdentityResult>
    <SubjectFromWebIdentityToken>system:serviceaccount:shop:shop</SubjectFromWebIdentityToken>
    <AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/shop/x</Arn><AssumedRoleId>AROA:x</AssumedRoleId></AssumedRoleUser>
    <Credentials><SessionToken>t-%[1]s</SessionToken><SecretAccessKey>s</SecretAccessKey><Expiration>%[2]s</Expiration><AccessKeyId>%[1]s</AccessKeyId></Credentials>
  </AssumeRoleWithWebIdentityResult>
</AssumeRoleWithWebIdentityResponse>`, key, utc(until))
}

func stsError(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>r</RequestId></ErrorResponse>`, code, message)
}

const role = "arn:aws:iam::123456789012:role/shop"

// serviceAccount is a pod's with a role, as EKS's webhook makes it.
func serviceAccount(t *testing.T) {
	t.Helper()
	alone(t)
	directory := t.TempDir()
	write(t, directory, "token", "header.payload.SIGNATURE")
	t.Setenv("AWS_ROLE_ARN", role)
	t.Setenv("AWS_WEB_IDENTITY_TOKEN_FILE", filepath.Join(directory, "token"))
	t.Setenv("AWS_REGION", "eu-central-1")
}

func TestTheRoleOfAServiceAccountSigns(t *testing.T) {
	serviceAccount(t)
	synctest.Test(t, func(t *testing.T) {
		at(noon)
		client := inprocess.Answers(func(w http.ResponseWriter, r *http.Request) {
			require.NoError(t, r.ParseForm())
			require.Equal(t, "sts.eu-central-1.amazonaws.com", r.URL.Host)
			require.Equal(t, "AssumeRoleWithWebIdentity", r.Form.Get("Action"))
			require.Equal(t, role, r.Form.Get("RoleArn"))
			require.Equal(t, "header.payload.SIGNATURE", r.Form.Get("WebIdentityToken"))
			fmt.Fprint(w, assumed("ASIA1", time.Now().Add(time.Hour)))
		})

		c := obtain(t, newRDS(t, client))

		require.True(t, strings.HasPrefix(field(t, c, "X-Amz-Credential"), "ASIA1/"))
		require.Equal(t, "t-ASIA1", field(t, c, "X-Amz-Security-Token"))
		require.Equal(t, noon.Add(time.Hour), c.SignedUntil)
	})
}

func TestCredentialsThatExpireBeforeATokenDoesAreRefreshedFirst(t *testing.T) {
	serviceAccount(t)
	synctest.Test(t, func(t *testing.T) {
		at(noon)
		asked, away := 0, false
		client := inprocess.Answers(func(w http.ResponseWriter, _ *http.Request) {
			if away {
				stsError(w, http.StatusServiceUnavailable, "ServiceUnavailable", "away")
				return
			}
			asked++
			fmt.Fprint(w, assumed(fmt.Sprint("ASIA", asked), time.Now().Add(time.Hour)))
		})
		p := newRDS(t, client)
		key := func() string { key, _, _ := strings.Cut(field(t, obtain(t, p), "X-Amz-Credential"), "/"); return key }

		require.Equal(t, "ASIA1", key())
		time.Sleep(44 * time.Minute)
		require.Equal(t, "ASIA1", key(), "with 16 minutes left")
		time.Sleep(2 * time.Minute)
		require.Equal(t, "ASIA2", key(), "with 14 minutes left")

		away = true
		time.Sleep(50 * time.Minute)
		c := obtain(t, p)
		require.True(t, strings.HasPrefix(field(t, c, "X-Amz-Credential"), "ASIA2/"), "STS is away: what there is signs")
		require.Contains(t, c.Note, "ServiceUnavailable: away; the credentials of before sign")
		require.True(t, strings.HasPrefix(field(t, obtain(t, p), "X-Amz-Credential"), "ASIA2/"), "the next time too")
		time.Sleep(10 * time.Minute)
		_, err := p.Obtain(t.Context())
		require.ErrorContains(t, err, "assuming the role "+role, "they have expired")
	})
}

func TestWhatAWSSaysIsSaidWhereThereIsNoToken(t *testing.T) {
	serviceAccount(t)
	synctest.Test(t, func(t *testing.T) {
		client := inprocess.Answers(func(w http.ResponseWriter, _ *http.Request) {
			stsError(w, http.StatusForbidden, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
		})
		_, err := newRDS(t, client).Obtain(t.Context())
		require.ErrorContains(t, err, "assuming the role "+role+" (AWS_ROLE_ARN) by the token in /")
		require.ErrorContains(t, err, "(AWS_WEB_IDENTITY_TOKEN_FILE): AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity")
		require.NotContains(t, err.Error(), "SIGNATURE")
	})
}

// As https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html has it.
func TestEKSPodIdentitySigns(t *testing.T) {
	alone(t)
	directory := t.TempDir()
	write(t, directory, "token", "POD-TOKEN")
	t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials")
	t.Setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", filepath.Join(directory, "token"))
	synctest.Test(t, func(t *testing.T) {
		at(noon)
		client := inprocess.Answers(func(w http.ResponseWriter, r *http.Request) {
			require.Equal(t, "http://169.254.170.23/v1/credentials", r.URL.String())
			if r.Header.Get("Authorization") != "POD-TOKEN" {
				http.Error(w, `{"code":"AccessDeniedException","message":"of another pod"}`, http.StatusUnauthorized)
				return
			}
			fmt.Fprint(w, `{"AccessKeyId":"ASIAPOD","SecretAccessKey":"s","Token":"t","AccountId":"1","Expiration":"2026-01-02T18:00:00Z"}`)
		})

		c := obtain(t, newRDS(t, client))

		require.True(t, strings.HasPrefix(field(t, c, "X-Amz-Credential"), "ASIAPOD/"))
		require.Equal(t, noon.Add(6*time.Hour), c.SignedUntil)

		write(t, directory, "token", "WRONG")
		_, err := newRDS(t, client).Obtain(t.Context())
		require.ErrorContains(t, err, "the credentials that AWS_CONTAINER_CREDENTIALS_FULL_URI names (http://169.254.170.23/v1/credentials): ")
		require.ErrorContains(t, err, "of another pod")
		require.NotContains(t, err.Error(), "WRONG")
	})
}

// As https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html has it.
func TestTheRoleOfTheNodeSigns(t *testing.T) {
	alone(t)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "false")
	synctest.Test(t, func(t *testing.T) {
		at(noon)
		client := inprocess.Answers(func(w http.ResponseWriter, r *http.Request) {
			require.Equal(t, "169.254.169.254", r.URL.Host)
			switch r.Method + " " + r.URL.Path {
			case "PUT /latest/api/token":
				w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "21600")
				fmt.Fprint(w, "IMDS")
			case "GET /latest/meta-data/iam/security-credentials/":
				require.Equal(t, "IMDS", r.Header.Get("X-Aws-Ec2-Metadata-Token"))
				fmt.Fprint(w, "node-role")
			case "GET /latest/meta-data/iam/security-credentials/node-role":
				fmt.Fprint(w, `{"Code":"Success","LastUpdated":"2026-01-02T11:22:01Z","Type":"AWS-HMAC","AccessKeyId":"ASIANODE",`+
					`"SecretAccessKey":"s","Token":"t","Expiration":"2026-01-02T12:45:00Z"}`)
			default:
				http.NotFound(w, r)
			}
		})

		c := obtain(t, newRDS(t, client))

		require.True(t, strings.HasPrefix(field(t, c, "X-Amz-Credential"), "ASIANODE/"))
		require.Equal(t, noon.Add(45*time.Minute), c.SignedUntil)
	})
}

func TestWhereThereAreNoCredentialsOneErrorSaysSoonWhatWasTried(t *testing.T) {
	alone(t)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "false")
	silent := inprocess.Silent()
	for name, client := range map[string]*http.Client{"refused": nobody, "no answer": silent} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				_, err := newRDS(t, client).Obtain(t.Context())
				require.Less(t, time.Since(began), 12*time.Second)
				for _, tried := range []string{"AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "metadata service"} {
					require.ErrorContains(t, err, tried)
				}
				require.NotContains(t, err.Error(), "\n")
			})
		})
	}
}

// As https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html has it.
const identity = `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:sts::1:assumed-role/shop/x</Arn><UserId>AROA:x</UserId><Account>1</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`

func TestARefusalOfRDSIsExplained(t *testing.T) {
	alone(t)
	refuse := func(code, message string) *http.Client {
		return inprocess.Answers(func(w http.ResponseWriter, _ *http.Request) { stsError(w, http.StatusForbidden, code, message) })
	}
	anyone := inprocess.Answers(func(w http.ResponseWriter, r *http.Request) {
		require.Equal(t, "sts.eu-central-1.amazonaws.com", r.URL.Host)
		fmt.Fprint(w, identity)
	})
	china := func(s *document.AWSRDS) {
		s.Host, s.Region = "db.abc.rds.cn-north-1.amazonaws.com.cn", "cn-northwest-1"
	}
	for _, c := range []struct {
		name   string
		client *http.Client
		change func(*document.AWSRDS)
		after  time.Duration
		until  string
		want   string
	}{
		{name: "expired", client: anyone, after: 16 * time.Minute,
			want: "the token has expired: at 2026-01-02T12:15:00Z, and this pod's clock says 2026-01-02T12:16:00Z"},
		{name: "region", client: anyone, change: func(s *document.AWSRDS) { s.Region = "us-east-1" },
			want: "the region is wrong: the token is signed for us-east-1, and the server " + rdsHost + " is in eu-central-1"},
		{name: "region in China", client: anyone, change: china,
			want: "the token is signed for cn-northwest-1, and the server db.abc.rds.cn-north-1.amazonaws.com.cn is in cn-north-1"},
		{name: "clock behind", client: refuse("SignatureDoesNotMatch", "Signature expired: 20260102T030405Z is now earlier than 20260102T031905Z (20260102T033405Z - 15 min.)"),
			want: "this pod's clock is wrong by 1800 s, behind: AWS says: Signature expired: 20260102T030405Z is now earlier than"},
		{name: "clock ahead", client: refuse("SignatureDoesNotMatch", "Signature not yet current: 20260102T040405Z is still later than 20260102T031905Z (20260102T030405Z + 15 min.)"),
			want: "this pod's clock is wrong by 3600 s, ahead: AWS says: Signature not yet current"},
		{name: "clock of S3's kind", client: refuse("RequestTimeTooSkewed", "The difference between the request time and the current time is too large."),
			want: "this pod's clock is wrong: AWS says: The difference"},
		{name: "keys", client: refuse("InvalidClientTokenId", "The security token included in the request is invalid."),
			want: "the credentials that sign it are not valid: AWS says: The security token included in the request is invalid."},
		{name: "keys that have expired", client: anyone, after: 10 * time.Minute, until: "2026-01-02T12:05:00Z",
			want: "the credentials that sign it have expired: at 2026-01-02T12:05:00Z, and this pod's clock says 2026-01-02T12:10:00Z"},
		{name: "keys that may not ask", client: refuse("AccessDenied", "explicit deny"),
			want: "and that the policy of the access key K allows rds-db:connect to it"},
		{name: "nothing of that, and no AWS to ask", client: nobody,
			want: "the token is signed for the user shop@a of " + rdsHost + ":5432 in eu-central-1 until 2026-01-02T12:15:00Z: " +
				"check that the user has the role rds_iam, and that the policy of the access key K allows rds-db:connect to it"},
		{name: "nothing of that, and an AWS that is silent", client: inprocess.Silent(),
			want: "and that the policy of the access key K allows rds-db:connect to it"},
		{name: "nothing of that", client: anyone, want: "and that the policy of arn:aws:sts::1:assumed-role/shop/x allows rds-db:connect to it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				at(noon)
				directory := keys(t, "K")
				write(t, directory, expiresFile, c.until)
				if c.change == nil {
					c.change = func(*document.AWSRDS) {}
				}
				p := newRDS(t, c.client, in(directory), c.change)
				refused := obtain(t, p)
				time.Sleep(c.after)

				began := time.Now()
				got := p.Explain(t.Context(), refused)

				require.Contains(t, got, c.want)
				require.NotContains(t, got, "\n")
				require.NotContains(t, got, "X-Amz-Signature")
				require.LessOrEqual(t, time.Since(began), identityLimit)
			})
		})
	}
}

func TestARefusalOfDSQLIsExplained(t *testing.T) {
	alone(t)
	synctest.Test(t, func(t *testing.T) {
		at(noon)
		client := inprocess.Answers(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, identity) })
		for user, want := range map[string]string{
			"shop": "the token is signed for the user shop of abc.dsql.us-east-1.on.aws in us-east-1 until 2026-01-02T12:15:00Z: check that the user is " +
				"linked to the role of IAM that signs (AWS IAM GRANT), and that the policy of arn:aws:sts::1:assumed-role/shop/x allows dsql:DbConnect",
			"admin": "check that the policy of arn:aws:sts::1:assumed-role/shop/x allows dsql:DbConnectAdmin",
		} {
			p, err := NewDSQL(document.AWSDSQL{Host: "abc.dsql.us-east-1.on.aws", User: user, CredentialsDirectory: keys(t, "K")}, client)
			require.NoError(t, err)
			require.Contains(t, p.Explain(t.Context(), obtain(t, p)), want)
		}
	})
}

func TestWhatIsNoTokenIsNotExplained(t *testing.T) {
	p := newRDS(t, nobody, in(keys(t, "K")))
	refused := obtain(t, p)
	refused.Password = "word"
	require.Empty(t, p.Explain(t.Context(), refused))
}
