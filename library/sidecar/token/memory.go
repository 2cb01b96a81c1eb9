package token

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"sync"

	"github.com/outrigger-charts/outrigger/library/sidecar/files"
)

// state is what a refresher that starts again has to know of the one before it.
type state struct {
	// Written is what the file has, and Next what it is about to have: one of the two, whenever it was killed.
	Written record `json:"written"`
	Next    record `json:"next"`
	// InUse is what is known to work.
	InUse record `json:"inUse"`
	// Told is, by the names of listeners, the sum of the file that each was told of last.
	Told map[string]string `json:"told"`
	// Secrets are the last passwords, which a command may say by mistake.
	Secrets [][]byte `json:"secrets"`
}

// of is what is known of the file of a sum.
func (s state) of(sum string) (record, bool) {
	for _, known := range []record{s.Next, s.Written} {
		if sum != "" && known.Sum == sum {
			return known, true
		}
	}
	return record{}, false
}

// mostSecrets is how many passwords are remembered: the one in use, and those that were obtained in vain after it.
const mostSecrets = 4

func (s *state) addSecret(password string) {
	added := []byte(password)
	s.Secrets = slices.DeleteFunc(s.Secrets, func(known []byte) bool { return string(known) == password })
	s.Secrets = append([][]byte{added}, s.Secrets[:min(len(s.Secrets), mostSecrets-1)]...)
}

// memory is a state in a file, of which other goroutines may ask.
type memory struct {
	path    string
	replace replace
	mutex   sync.Mutex
	state   state
}

// remember reads the state that a refresher before this one has left. One that cannot be read is none.
func remember(path string, replace replace) *memory {
	m := &memory{path: path, replace: replace}
	files.Sweep(path)
	if content, err := os.ReadFile(path); err == nil {
		if json.Unmarshal(content, &m.state) != nil {
			m.state = state{}
		}
	}
	return m
}

func (m *memory) get() state {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return m.state.clone()
}

// update changes the state, in the file too. Where that cannot be written, this program knows all the same.
func (m *memory) update(change func(*state)) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	changed := m.state.clone()
	change(&changed)
	m.state = changed
	content, err := json.Marshal(changed)
	if err != nil {
		return err
	}
	return m.replace(m.path, content, 0o600)
}

func (s state) clone() state {
	told := map[string]string{}
	maps.Copy(told, s.Told)
	s.Told, s.Secrets = told, slices.Clone(s.Secrets)
	return s
}
