package token

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/outrigger-charts/outrigger/library/sidecar/event"
	"github.com/outrigger-charts/outrigger/library/sidecar/proof"
	"github.com/outrigger-charts/outrigger/library/sidecar/token/format"
)

// obtain asks the provider for a credential, and holds it.
func (r *refresher) obtain(ctx context.Context) error {
	r.reckoned = momentOf(r.clock)
	ctx, cancel := context.WithTimeout(ctx, r.obtainLimit)
	defer cancel()
	obtained, err := r.provider.Obtain(ctx)
	if err != nil {
		return failure{error: errors.New(r.hide(err.Error())), reason: reasonProvider}
	}
	// Where it cannot be written is told when what is held is.
	_ = r.memory.update(func(s *state) { s.addSecret(obtained.Password) })
	scheduled, err := schedule(obtained, r.reckoned.Wall, r.reckoned.Wall, r.token.TTL.Duration(), r.random())
	if err != nil {
		r.retire(obtained, record{ExpiresAt: obtained.ExpiresAt})
		return failure{error: err, reason: reasonExpiry}
	}
	if inUse := r.memory.get().InUse; r.renewing && !obtained.SignedUntil.IsZero() && r.reckoned.Wall.Before(inUse.ExpiresAt) &&
		scheduled.ExpiresAt.Before(inUse.ExpiresAt.Add(time.Second)) {
		// To prove it and to tell of it would gain nothing, and it would be due again and again, the sooner the less is left.
		r.retire(obtained, scheduled)
		why := "what signs it expires at " + utc(obtained.SignedUntil)
		if obtained.Note != "" {
			why += ": " + r.hide(obtained.Note)
		}
		return failure{error: errors.New("the provider has no credential that lives longer than the one in use: " + why), reason: reasonProvider}
	}
	r.metrics.obtained.Inc()
	if obtained.Note != "" {
		r.log.Warn(r.hide(obtained.Note), event.Is("credential.note"))
	}
	r.held = &held{credential: obtained, record: scheduled}
	return nil
}

// content is what the file is to have.
func (r *refresher) content() ([]byte, error) {
	file := r.token.File
	username := r.held.credential.Username
	if file.User != "" {
		username = file.User
	}
	return r.format(format.Texts{
		Username: username, Password: r.held.credential.Password,
		Host: file.Host, Port: file.Port, Database: file.Database,
		ExpiresAt: r.held.ExpiresAt,
	})
}

// write puts what is held into the file. Where it fails the file is as it was, and what is held is written later; what no file
// can have is given up.
func (r *refresher) write() error {
	content, err := r.content()
	if err != nil {
		r.drop()
		return failure{error: err, reason: reasonFormat}
	}
	r.held.Sum = proof.Sum(content)
	first := r.isFirst()
	r.excuseSilence()
	// A credential that is the same again is proven again: what was said of the one before does not count.
	for _, prover := range r.token.Provers {
		_ = os.Remove(proof.VerdictPath(r.token.File.Path, prover))
	}
	clear(r.heard)
	if err := r.issue(); err != nil {
		return r.notWritten(err)
	}
	if err := r.record(func(s *state) {
		s.Next = r.held.record
		if first {
			for _, listener := range r.listeners {
				s.Told[listener.Name] = r.held.Sum
			}
		}
	}); err != nil {
		return err
	}
	if err := r.replace(r.token.File.Path, content, r.mode); err != nil {
		return r.notWritten(err)
	}
	r.held.written, r.inPlace = true, r.held.Sum
	if len(r.token.Provers) > 0 {
		r.log.Info("the credential is written, and is to be proven", event.Is("credential.obtained"), "expiresAt", r.held.ExpiresAt)
	}
	return r.record(func(s *state) { s.Written, s.Next = r.held.record, record{} })
}

// isFirst tells whether the file is there before the app is, which need not be told.
func (r *refresher) isFirst() bool {
	_, err := os.Lstat(r.token.File.Path)
	return os.IsNotExist(err) && r.memory.get().InUse.Sum == ""
}

// issue says beside the file until when its credential lives, before it is there.
func (r *refresher) issue() error {
	content, err := json.Marshal(proof.Issued{Sum: r.held.Sum, ExpiresAt: r.held.ExpiresAt})
	if err != nil {
		return err
	}
	return r.replace(proof.IssuedPath(r.token.File.Path), append(content, '\n'), r.mode)
}

func (r *refresher) notWritten(err error) error {
	return failure{error: fmt.Errorf("%s was not written: %w", r.token.File.Path, err), reason: reasonFile}
}

// record changes the state.
func (r *refresher) record(change func(*state)) error {
	if err := r.memory.update(change); err != nil {
		return failure{error: fmt.Errorf("%s was not written: %w", r.memory.path, err), reason: reasonFile}
	}
	return nil
}
