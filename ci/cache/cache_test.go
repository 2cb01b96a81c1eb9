package cache

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"
)

func key(texts ...string) string { return new(Key).Add(texts...).String() }

func TestKeysDifferWhenAnInputDoes(t *testing.T) {
	keys := map[string]string{}
	for name, k := range map[string]string{
		"nothing": key(), "a": key("a"), "a b": key("a", "b"), "b a": key("b", "a"), "ab": key("ab"), "a and empty": key("a", ""),
	} {
		if other, ok := keys[k]; ok {
			t.Errorf("%q and %q have the same key", name, other)
		}
		keys[k] = name
	}
	if again := key("a", "b"); keys[again] != "a b" {
		t.Error("equal inputs have different keys")
	}
}

func TestSourcesCountWithoutTheirTests(t *testing.T) {
	sources := func(files map[string]string) string {
		dir := fstest.MapFS{}
		for name, content := range files {
			dir[name] = &fstest.MapFile{Data: []byte(content)}
		}
		k := new(Key)
		if err := k.AddSources(dir); err != nil {
			t.Fatal(err)
		}
		return k.String()
	}
	plain := sources(map[string]string{"a.go": "1"})
	if plain != sources(map[string]string{"a.go": "1", "a_test.go": "2", "README.md": "3"}) {
		t.Error("a test or a page changes the key")
	}
	if plain == sources(map[string]string{"a.go": "2"}) || plain == sources(map[string]string{"b.go": "1"}) {
		t.Error("a source's content or name does not change the key")
	}
}

func TestEveryFileOfATreeCounts(t *testing.T) {
	tree := func(path, content string) string {
		k := new(Key)
		if err := k.AddTree(fstest.MapFS{"a/b.py": {Data: []byte("1")}, path: {Data: []byte(content)}}); err != nil {
			t.Fatal(err)
		}
		return k.String()
	}
	plain := tree("a/c/d.html", "2")
	if plain != tree("a/c/d.html", "2") {
		t.Error("equal trees have different keys")
	}
	if plain == tree("a/c/d.html", "3") || plain == tree("a/d.html", "2") {
		t.Error("a file's content or place does not change the key")
	}
}

func TestMakeLeavesNothingOfAFailure(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", "thing")
	failed := errors.New("no")
	if _, err := Make(context.Background(), path, func(tmp string) error {
		if err := os.WriteFile(tmp, []byte("half"), 0o644); err != nil {
			t.Fatal(err)
		}
		return failed
	}); !errors.Is(err, failed) {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(path + "*"); len(left) > 0 {
		t.Fatal("left:", left)
	}
	write := func(tmp string) error { return os.WriteFile(tmp, []byte("whole"), 0o644) }
	for _, want := range []bool{false, true} {
		if reused, err := Make(context.Background(), path, write); err != nil || reused != want {
			t.Fatalf("reused %v, %v; want %v", reused, err, want)
		}
	}
}

func TestWhatManyMakeAtOnceIsMadeOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "thing")
	var made, reused atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			there, err := Make(context.Background(), path, func(tmp string) error {
				made.Add(1)
				return os.WriteFile(tmp, nil, 0o644)
			})
			if err != nil {
				t.Error(err)
			}
			if there {
				reused.Add(1)
			}
		})
	}
	all.Wait()
	if made.Load() != 1 || reused.Load() != 7 {
		t.Errorf("made %d times, reused %d times", made.Load(), reused.Load())
	}
	if left, _ := filepath.Glob(path + "*"); len(left) != 1 {
		t.Error("left:", left)
	}
}

func TestWhoWaitsMakesItAfterAFailure(t *testing.T) {
	path := filepath.Join(t.TempDir(), "thing")
	failed := errors.New("no")
	second := make(chan error)
	if _, err := Make(context.Background(), path, func(string) error {
		go func() {
			_, err := Make(context.Background(), path, func(tmp string) error { return os.WriteFile(tmp, nil, 0o644) })
			second <- err
		}()
		select {
		case err := <-second:
			t.Errorf("the second did not wait: %v", err)
		case <-time.After(50 * time.Millisecond):
		}
		return failed
	}); !errors.Is(err, failed) {
		t.Fatal(err)
	}
	if err := <-second; err != nil {
		t.Error(err)
	}
}

func TestWhoWaitsEndsWithItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "thing")
	_, err := Make(context.Background(), path, func(string) error {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_, err := Make(ctx, path, func(string) error { t.Error("made twice"); return nil })
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestPruneKeepsWhatWasUsedLast(t *testing.T) {
	dir := t.TempDir()
	for i, name := range []string{"x-new", "x-old", "x-older", "y-oldest", "x-being-made.tmp", "x-being-made.lock"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		used := time.Now().Add(-time.Duration(i) * time.Hour)
		if err := os.Chtimes(path, used, used); err != nil {
			t.Fatal(err)
		}
	}
	Prune(dir, "x-*", 2)
	left, _ := filepath.Glob(filepath.Join(dir, "*"))
	for i := range left {
		left[i] = filepath.Base(left[i])
	}
	if got := strings.Join(left, " "); got != "x-being-made.lock x-being-made.tmp x-new x-old y-oldest" {
		t.Error("left:", got)
	}
}

func TestASecondLockWaits(t *testing.T) {
	dir := t.TempDir()
	unlock, err := Lock(context.Background(), dir, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	taken := make(chan struct{})
	go func() {
		defer close(taken)
		second, err := Lock(context.Background(), dir, io.Discard)
		if err != nil {
			t.Error(err)
			return
		}
		second()
	}()
	select {
	case <-taken:
		t.Fatal("both have the lock")
	case <-time.After(50 * time.Millisecond):
	}
	unlock()
	<-taken
}
