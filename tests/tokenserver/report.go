package tokenserver

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// loginsKept is how many logins are remembered one by one.
const loginsKept = 10_000

// Login is an attempt to log in.
type Login struct {
	Number      int // from 1
	Time        time.Time
	User        string
	Database    string
	Application string    // application_name
	Token       string    // SHA-256 of the password, in hexadecimal digits
	Key         string    // the access key that signed it, if it is a token
	Issued      time.Time // the date in the token
	Expires     time.Time // when it, or the credentials that signed it, expires; zero where the key is unknown
	Outcome     string    // Accepted, or why it was refused
}

// Session is a login that is still connected.
type Session struct {
	Login int // its number
	User  string
	Since time.Time
	Token string
}

// Report sums up logins and calls of STS.
type Report struct {
	Accepted int            // logins
	Refused  map[string]int // logins, by reason
	Tokens   int            // different ones that were accepted
	Sessions []Session      // open now, the oldest first
	STS      map[string]int // calls, by action and what was answered: "GetCallerIdentity OK"
}

func (r Report) refused() (count int) {
	for _, times := range r.Refused {
		count += times
	}
	return count
}

type store struct {
	mutex    sync.Mutex
	number   int
	logins   []Login
	accepted int
	refused  map[string]int
	tokens   map[string]bool
	sts      map[string]int
	sessions map[int]Session
	changed  chan struct{} // closed, and replaced, at each change
}

func (s *store) forget() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.logins, s.accepted, s.refused, s.tokens, s.sts = nil, 0, map[string]int{}, map[string]bool{}, map[string]int{}
	if s.sessions == nil {
		s.sessions = map[int]Session{}
		s.changed = make(chan struct{})
	}
}

// add numbers a login, and opens its session if it is accepted.
func (s *store) add(login Login) (number int) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.number++
	login.Number = s.number
	if len(s.logins) == loginsKept {
		s.logins = s.logins[1:]
	}
	s.logins = append(s.logins, login)
	if login.Outcome == Accepted {
		s.accepted++
		s.tokens[login.Token] = true
		s.sessions[login.Number] = Session{login.Number, login.User, login.Time, login.Token}
	} else {
		s.refused[login.Outcome]++
	}
	close(s.changed)
	s.changed = make(chan struct{})
	return login.Number
}

func (s *store) end(number int) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	delete(s.sessions, number)
}

func (s *store) called(action, answer string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.sts[action+" "+answer]++
}

func (s *store) report() (r Report, changed <-chan struct{}) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return Report{
		Accepted: s.accepted, Refused: maps.Clone(s.refused), Tokens: len(s.tokens), STS: maps.Clone(s.sts),
		Sessions: slices.SortedFunc(maps.Values(s.sessions), func(a, b Session) int { return a.Login - b.Login }),
	}, s.changed
}

func (s *store) since(after int) []Login {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	first, _ := slices.BinarySearchFunc(s.logins, after+1, func(login Login, number int) int { return login.Number - number })
	return slices.Clone(s.logins[first:])
}
