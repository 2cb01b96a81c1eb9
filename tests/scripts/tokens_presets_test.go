package scripts

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// preset is a script that obtains a credential by a program, of which there is a stand-in that answers as the real one does.
type preset struct {
	t      *testing.T
	dir    string
	script string
	env    []string
}

func newPreset(t *testing.T, script, program, standIn string, env ...string) *preset {
	t.Helper()
	p := &preset{t: t, dir: t.TempDir(), script: script, env: env}
	require.NoError(t, os.MkdirAll(filepath.Join(p.dir, "work", "obtained"), 0o700))
	standIn = "#!" + filepath.Join(appletDir, "sh") + "\nprintf '%s|' \"$@\" >>\"$CALLS\"; echo \"keys=${AWS_ACCESS_KEY_ID-},${AWS_SECRET_ACCESS_KEY-},${AWS_SESSION_TOKEN-none}\" >>\"$CALLS\"\n" + standIn
	require.NoError(t, os.WriteFile(filepath.Join(p.dir, program), []byte(standIn+"\n"), 0o755))
	return p
}

// run returns what the script prints, with its errors where it fails.
func (p *preset) run(arguments ...string) (string, error) {
	p.t.Helper()
	scripts, err := filepath.Abs(tokenScripts)
	require.NoError(p.t, err)
	command := exec.CommandContext(p.t.Context(), filepath.Join(appletDir, "busybox"), append([]string{"sh", filepath.Join(scripts, p.script)}, arguments...)...)
	command.Env = append([]string{"PATH=" + p.dir, "OUTRIGGER_TOOLS=" + toolDir, "OUTRIGGER_SCRIPTS=" + scripts, "OUTRIGGER_WORK_DIR=" + filepath.Join(p.dir, "work"),
		"CALLS=" + filepath.Join(p.dir, "calls"), "DIR=" + p.dir}, p.env...)
	var stderr strings.Builder
	command.Stderr = &stderr
	output, err := command.Output()
	if err != nil {
		return stderr.String(), err
	}
	return string(output), nil
}

func (p *preset) calls() []string {
	data, _ := os.ReadFile(filepath.Join(p.dir, "calls"))
	return splitLines(string(data))
}

func (p *preset) write(name, text string) {
	p.t.Helper()
	path := filepath.Join(p.dir, name)
	require.NoError(p.t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(p.t, os.WriteFile(path, []byte(text), 0o600))
}

// The outputs are those of aws-cli 2: what it exports, and a token as `aws rds generate-db-auth-token` signs it.
const awsStandIn = `case "$1 $2" in
"configure export-credentials")
  "$OUTRIGGER_TOOLS/busybox" cat "$DIR/exported"
  [ ! -e "$DIR/exported.next" ] || "$OUTRIGGER_TOOLS/busybox" mv "$DIR/exported.next" "$DIR/exported"
  ;;
"rds generate-db-auth-token") "$OUTRIGGER_TOOLS/busybox" cat "$DIR/token" ;;
"sts get-caller-identity") "$OUTRIGGER_TOOLS/busybox" cat "$DIR/identity" && exit; "$OUTRIGGER_TOOLS/busybox" cat "$DIR/refusal" >&2; exit 254 ;;
esac`

func rdsToken(signed time.Time, seconds int, host, region string) string {
	stamp := signed.UTC().Format("20060102T150405Z")
	return fmt.Sprintf("%s:5432/?Action=connect&DBUser=shop%%40a&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%%2F%s%%2F%s%%2Frds-db%%2Faws4_request&X-Amz-Date=%s&X-Amz-Expires=%d&X-Amz-SignedHeaders=host&X-Amz-Security-Token=a%%2Fb&X-Amz-Signature=0123abcd",
		host, stamp[:8], region, stamp, seconds)
}

func exported(key string, until time.Time) string {
	return fmt.Sprintf("{\n  \"Version\": 1,\n  \"AccessKeyId\": %q,\n  \"SecretAccessKey\": \"s/%s\",\n  \"SessionToken\": \"t+%s\",\n  \"Expiration\": %q\n}\n",
		key, key, key, until.UTC().Format("2006-01-02T15:04:05+00:00"))
}

const rdsHost = "db.abc123.eu-central-1.rds.amazonaws.com"

func newAWS(t *testing.T, env ...string) *preset {
	t.Helper()
	p := newPreset(t, "token-aws-rds.sh", "aws", awsStandIn, append([]string{"RDS_HOST=" + rdsHost, "RDS_PORT=5432", "RDS_USER=shop", "RDS_REGION=eu-central-1"}, env...)...)
	p.write("token", rdsToken(time.Now(), 900, rdsHost, "eu-central-1")+"\n")
	return p
}

type rdsPassword struct {
	Password               string
	ExpiresAt, SignedUntil int64
}

func (p *preset) token() rdsPassword {
	p.t.Helper()
	output, err := p.run()
	require.NoError(p.t, err, output)
	var got rdsPassword
	require.NoError(p.t, json.Unmarshal([]byte(output), &got), output)
	return got
}

func TestATokenOfRDSHasItsExpiryAndThatOfWhatSignsIt(t *testing.T) {
	t.Parallel()
	p := newAWS(t)
	until := time.Now().Add(time.Hour)
	p.write("exported", exported("K1", until))
	signed := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	p.write("token", rdsToken(signed, 900, rdsHost, "eu-central-1")+"\n")
	require.Equal(t, rdsPassword{rdsToken(signed, 900, rdsHost, "eu-central-1"), signed.Unix() + 900, until.Unix()}, p.token())
	require.Equal(t, []string{
		"configure|export-credentials|--format|process|keys=,,none",
		"rds|generate-db-auth-token|--hostname|" + rdsHost + "|--port|5432|--username|shop|--region|eu-central-1|keys=K1,s/K1,t+K1",
	}, p.calls())
	require.NoDirExists(t, filepath.Join(p.dir, "work", "signing"), "the keys are nowhere")
}

func TestSigningCredentialsWithoutAnExpiryNeedNone(t *testing.T) {
	t.Parallel()
	p := newAWS(t, "AWS_SESSION_TOKEN=of-the-pod")
	p.write("exported", `{"Version":1,"AccessKeyId":"AKID","SecretAccessKey":"s"}`)
	require.Zero(t, p.token().SignedUntil)
	require.Contains(t, p.calls()[1], "keys=AKID,s,none")
}

func TestSigningCredentialsOfASecretAreReadAnew(t *testing.T) {
	t.Parallel()
	p := newAWS(t)
	p.env = append(p.env, "CREDENTIALS_DIR="+filepath.Join(p.dir, "secret"))
	p.write("secret/AWS_ACCESS_KEY_ID", "K1")
	p.write("secret/AWS_SECRET_ACCESS_KEY", "s1\n")
	require.Zero(t, p.token().SignedUntil)
	p.write("secret/AWS_ACCESS_KEY_ID", "K2")
	p.write("secret/AWS_SESSION_TOKEN", "t2")
	p.write("secret/AWS_CREDENTIAL_EXPIRATION", "2030-01-02T03:04:05Z\n")
	require.EqualValues(t, 1893553445, p.token().SignedUntil)
	require.Contains(t, p.calls()[0], "keys=K1,s1,none")
	require.Contains(t, p.calls()[1], "keys=K2,s1,t2")
	require.NoError(t, os.Remove(filepath.Join(p.dir, "secret", "AWS_SECRET_ACCESS_KEY")))
	output, err := p.run()
	require.Error(t, err)
	require.Contains(t, output, "the Secret of the credentials has no AWS_ACCESS_KEY_ID, or no AWS_SECRET_ACCESS_KEY")
}

func TestWhatTheToolSaysIsSaidWhereThereIsNoToken(t *testing.T) {
	t.Parallel()
	p := newPreset(t, "token-aws-rds.sh", "aws", `echo "Unable to retrieve credentials: no credentials found" >&2; exit 255`, "RDS_HOST=h", "RDS_PORT=1", "RDS_USER=u")
	output, err := p.run()
	require.Error(t, err)
	require.Equal(t, "Unable to retrieve credentials: no credentials found\n", output)

	p = newAWS(t)
	p.write("exported", exported("K1", time.Now().Add(time.Hour)))
	p.write("token", "You must specify a region\n")
	output, err = p.run()
	require.Error(t, err)
	require.Equal(t, "aws rds generate-db-auth-token printed no token\n", output)
}

func TestARefusalOfRDSIsExplained(t *testing.T) {
	t.Parallel()
	operation := "\nAn error occurred (%s) when calling the GetCallerIdentity operation: %s\n"
	long := time.Now().Add(time.Hour)
	for _, c := range []struct {
		name, token, exported, refusal, want string
	}{
		{"expired", rdsToken(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), 900, rdsHost, "eu-central-1"), "", "",
			"the token has expired: at 2026-01-02T03:19:05Z, and this pod's clock says 20"},
		{"region", rdsToken(time.Now(), 900, rdsHost, "us-east-1"), "", "",
			"the region is wrong: the token is signed for us-east-1, and the server " + rdsHost + " is in eu-central-1"},
		{"region in China", rdsToken(time.Now(), 900, "db.abc.rds.cn-north-1.amazonaws.com.cn", "cn-northwest-1"), "", "",
			"the token is signed for cn-northwest-1, and the server db.abc.rds.cn-north-1.amazonaws.com.cn is in cn-north-1"},
		{"clock behind", "", exported("K", long), fmt.Sprintf(operation, "SignatureDoesNotMatch", "Signature expired: 20260102T030405Z is now earlier than 20260102T031905Z (20260102T033405Z - 15 min.)"),
			"this pod's clock is wrong by 1800 s, behind: AWS says: Signature expired: 20260102T030405Z is now earlier than"},
		{"clock ahead", "", exported("K", long), fmt.Sprintf(operation, "SignatureDoesNotMatch", "Signature not yet current: 20260102T040405Z is still later than 20260102T031905Z (20260102T030405Z + 15 min.)"),
			"this pod's clock is wrong by 3600 s, ahead: AWS says: Signature not yet current"},
		{"clock of S3's kind", "", exported("K", long), fmt.Sprintf(operation, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large."),
			"this pod's clock is wrong: AWS says: The difference"},
		{"keys", "", exported("K", long), fmt.Sprintf(operation, "InvalidClientTokenId", "The security token included in the request is invalid."),
			"the credentials that sign it are not valid: AWS says: The security token included in the request is invalid."},
		{"keys that have expired", "", exported("K", time.Now().Add(-time.Hour)), "", "the credentials that sign it have expired: at "},
		{"nothing of that, and no AWS to ask", "", exported("K", long), "\nConnect timeout on endpoint URL\n",
			"the token is signed for the user shop@a of " + rdsHost + ":5432 in eu-central-1 until "},
		{"nothing of that", "", exported("K", long), "", "and that the policy of arn:aws:sts::1:assumed-role/shop/x allows rds-db:connect to it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newAWS(t)
			if c.token == "" {
				c.token = rdsToken(time.Now(), 900, rdsHost, "eu-central-1")
			}
			p.write("work/obtained/password", c.token)
			p.write("exported", c.exported)
			if c.refusal != "" {
				p.write("refusal", c.refusal)
			} else {
				p.write("identity", "arn:aws:sts::1:assumed-role/shop/x\n")
			}
			output, err := p.run("explain")
			require.NoError(t, err, output)
			require.Contains(t, output, c.want)
			require.Len(t, splitLines(output), 1)
			require.NotContains(t, output, "X-Amz-Signature")
		})
	}
}

// The outputs are those of Vault 1.
const vaultStandIn = `case "$1 $2" in
"write -field=token") [ "$VAULT_ROLE" = shop ] || exit 2; printf hvs.LOGIN ;;
"token lookup") [ -s "$HOME/.vault-token" ] || [ "${VAULT_TOKEN-}" ] || exit 2; printf '{"data":{"id":"hvs.LOGIN","expire_time":%s,"ttl":900}}' "$EXPIRE_TIME" ;;
"read -format=json") printf '{"request_id":"r","lease_id":"database/creds/shop/l","lease_duration":3600,"renewable":true,"data":{"password":"A-\\"p","username":"v-k8s-shop"},"warnings":null}\n' ;;
esac`

func TestCredentialsOfVaultEndWithTheTokenThatReadThem(t *testing.T) {
	t.Parallel()
	for expireTime, want := range map[string]string{`"2026-01-02T03:04:05.6Z"`: "2026-01-02T03:04:05.6Z", "null": ""} {
		p := newPreset(t, "token-vault.sh", "vault", vaultStandIn, "SECRET_PATH=database/creds/shop", "ROLE=shop", "VAULT_ROLE=shop", "EXPIRE_TIME="+expireTime)
		output, err := p.run()
		require.NoError(t, err, output)
		var got struct {
			SignedUntil string
			Secret      struct {
				LeaseDuration int `json:"lease_duration"`
				Data          struct{ Username, Password string }
			}
		}
		require.NoError(t, json.Unmarshal([]byte(output), &got), output)
		require.Equal(t, want, got.SignedUntil)
		require.Equal(t, 3600, got.Secret.LeaseDuration)
		require.Equal(t, `A-"p`, got.Secret.Data.Password)
		require.Equal(t, "v-k8s-shop", got.Secret.Data.Username)
		for _, call := range p.calls() {
			require.NotContains(t, call, "hvs.", "no token is an argument")
		}
		require.Contains(t, p.calls()[0], "write|-field=token|auth/kubernetes/login|role=shop|jwt=@/var/run/secrets/kubernetes.io/serviceaccount/token|")
	}
	p := newPreset(t, "token-vault.sh", "vault", vaultStandIn, "SECRET_PATH=database/creds/shop", "VAULT_TOKEN=hvs.GIVEN", `EXPIRE_TIME=null`)
	output, err := p.run()
	require.NoError(t, err, output)
	require.Len(t, p.calls(), 2)
}
