package scripts

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const snapshotText = "of the snapshot"

// paths is a folder with a file and a folder that are backed up, as a volume has them.
type paths struct {
	*instance
	folder string
}

func newPaths(t *testing.T, env ...string) *paths {
	t.Helper()
	folder := t.TempDir()
	p := &paths{folder: folder}
	p.instance = newArchive(t, "files").instance("demo-app", append([]string{"SOURCE=path", "CLOCK=" + unix(sixtyDays()[1]), "PATHS=" + p.at("app.conf") + "\n" + p.at("conf")}, env...)...)
	p.write("app.conf", snapshotText)
	p.write("conf/sub/nested", snapshotText)
	_, code := p.backUp(sixtyDays()[0])
	require.Zero(t, code)
	return p
}

func (p *paths) at(name string) string { return filepath.Join(p.folder, name) }

func (p *paths) write(name, text string) {
	p.t.Helper()
	require.NoError(p.t, os.MkdirAll(filepath.Dir(p.at(name)), 0o755))
	require.NoError(p.t, os.WriteFile(p.at(name), []byte(text), 0o640))
}

// restore restores the snapshot of a path, and returns why it did not.
func (p *paths) restore(name string, env ...string) (message string, code int) {
	p.t.Helper()
	again := *p.backup
	again.env = append(append([]string(nil), p.env...), append(env, "FILE="+strings.ReplaceAll(p.at(name), "/", "%2F"))...)
	reported, code := again.run("restore")
	return reported["message"].(string), code
}

// content returns the text of every file that there is, by its name.
func (p *paths) content() map[string]string {
	p.t.Helper()
	found := map[string]string{}
	require.NoError(p.t, filepath.Walk(p.folder, func(path string, info os.FileInfo, err error) error {
		name, _ := filepath.Rel(p.folder, path)
		if err == nil && info.Mode().IsRegular() {
			text, err := os.ReadFile(path)
			found[name] = string(text)
			return err
		} else if err == nil && strings.HasPrefix(info.Name(), ".outrigger") {
			found[name] = "is left over"
		}
		return err
	}))
	return found
}

func TestAFileOrFolderThatIsGoneIsRestoredAsWhatItWas(t *testing.T) {
	t.Parallel()
	p := newPaths(t)
	require.NoError(t, os.RemoveAll(p.at("app.conf")))
	require.NoError(t, os.RemoveAll(p.at("conf")))

	_, file := p.restore("app.conf")
	_, folder := p.restore("conf")

	assert.Zero(t, file)
	assert.Zero(t, folder)
	assert.Equal(t, map[string]string{"app.conf": snapshotText, "conf/sub/nested": snapshotText}, p.content())
	info, err := os.Stat(p.at("app.conf"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o640), info.Mode().Perm())
	info, err = os.Stat(p.at("conf"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o755), info.Mode().Perm())
}

func TestAFileIsRestoredUnderTheNameOfItsTargetAndAFolderIntoIt(t *testing.T) {
	t.Parallel()
	p := newPaths(t)
	require.NoError(t, os.MkdirAll(p.at("empty"), 0o755))
	p.write("there.conf", "of today")
	for target, name := range map[string]string{"there.conf": "app.conf", "deep/er/new.conf": "app.conf", "empty/": "app.conf", "new/folder": "conf"} {
		message, code := p.restore(name, "OVERWRITE=yes", "TARGET="+p.at(".")+"/"+target)

		assert.Zero(t, code, message)
	}

	assert.Equal(t, map[string]string{
		"app.conf": snapshotText, "conf/sub/nested": snapshotText,
		"there.conf": snapshotText, "deep/er/new.conf": snapshotText, "empty/app.conf": snapshotText, "new/folder/sub/nested": snapshotText,
	}, p.content())
}

func TestWhatIsThereIsNotOverwrittenUnasked(t *testing.T) {
	t.Parallel()
	p := newPaths(t)
	p.write("app.conf", "of today")
	p.write("conf/later", "of today")
	before := p.content()

	for _, name := range []string{"app.conf", "conf"} {
		message, code := p.restore(name)

		assert.Equal(t, 4, code)
		assert.Contains(t, message, p.at(name)+" is not empty; set OVERWRITE=yes")
	}
	assert.Equal(t, before, p.content())
	for _, name := range []string{"app.conf", "conf"} {
		_, code := p.restore(name, "OVERWRITE=yes")
		assert.Zero(t, code)
	}
	assert.Equal(t, map[string]string{"app.conf": snapshotText, "conf/sub/nested": snapshotText}, p.content())
}

func TestNoFileTakesThePlaceOfAFolderAndNoFolderThatOfAFile(t *testing.T) {
	t.Parallel()
	p := newPaths(t)
	before := p.content()

	ofFile, file := p.restore("app.conf", "OVERWRITE=yes", "TARGET="+p.at("conf"))
	ofFolder, folder := p.restore("conf", "OVERWRITE=yes", "TARGET="+p.at("app.conf"))

	assert.Equal(t, 4, file)
	assert.Equal(t, p.at("conf")+" is a folder, and the snapshot is of a file; remove it, or set TARGET to the path of a file", ofFile)
	assert.Equal(t, 4, folder)
	assert.Equal(t, p.at("app.conf")+" is a file, and the snapshot is of a folder; set TARGET to a folder", ofFolder)
	assert.Equal(t, before, p.content())
}

func TestADrillAsksAFileInAFolder(t *testing.T) {
	t.Parallel()
	p := newPaths(t, "CHECKS=grep -c snapshot app.conf")

	_, code := p.run("drill")

	assert.Zero(t, code)
}

func TestAFolderWhoseHiddenFilesAreLeftOutIsBackedUpAllTheSame(t *testing.T) {
	t.Parallel()
	p := newPaths(t)
	p.write("conf/.hidden", "of today")
	p.env = append(p.env, "EXCLUDE=.*")

	_, code := p.backUp(sixtyDays()[1])
	require.Zero(t, code)
	p.env = append(p.env, "CLOCK="+unix(sixtyDays()[2]))
	_, restored := p.restore("conf", "OVERWRITE=yes")

	assert.Zero(t, restored)
	assert.Equal(t, map[string]string{"app.conf": snapshotText, "conf/sub/nested": snapshotText}, p.content())
}
