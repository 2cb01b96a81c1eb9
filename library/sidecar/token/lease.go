package token

import (
	"context"
	"log/slog"
	"time"

	"github.com/outrigger-charts/outrigger/library/sidecar/credential"
	"github.com/outrigger-charts/outrigger/library/sidecar/event"
	"github.com/outrigger-charts/outrigger/library/sidecar/proof"
)

const (
	// leaseLimit is how long a provider may take to renew or revoke a lease.
	leaseLimit = 15 * time.Second
	// revokeAgain is how long after a failure a lease is revoked again.
	revokeAgain = time.Minute
)

// replacedLease is of a credential that is in use no more once another is.
type replacedLease struct {
	credential.Lease
	expiresAt time.Time
	again     time.Duration // by the monotonic clock, not before
	told      bool          // that it could not be revoked
}

// prolong makes a credential that is due live longer, if its provider holds a lease of it, and tells whether it does.
func (r *refresher) prolong(ctx context.Context) bool {
	if r.held.credential.Lease == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, leaseLimit)
	defer cancel()
	renewed := r.held.credential
	var err error
	if renewed.ExpiresAt, err = r.held.credential.Lease.Renew(ctx); err != nil {
		r.trouble(slog.LevelWarn, "the lease of the credential was not renewed: "+r.hide(err.Error()), event.Is("lease.failed"))
		return false
	}
	r.reckoned = momentOf(r.clock)
	scheduled, err := schedule(renewed, r.held.ObtainedAt, r.reckoned.Wall, r.token.TTL.Duration(), r.random())
	if err != nil || !scheduled.ExpiresAt.After(r.held.ExpiresAt) {
		return false
	}
	scheduled.Sum = r.held.Sum
	r.held.credential, r.held.record = renewed, scheduled
	if r.held.written {
		if err := r.prolongFile(); err != nil {
			r.trouble(slog.LevelError, err.Error(), event.Is("lease.failed"))
		}
	}
	r.log.Info("the lease of the credential is renewed", event.Is("lease.renewed"), "expiresAt", scheduled.ExpiresAt, "refreshAt", scheduled.DueAt)
	return true
}

// prolongFile says until when the file's credential lives now. The file stays, unless it has that too.
func (r *refresher) prolongFile() error {
	content, err := r.content()
	if err != nil {
		return err
	}
	if proof.Sum(content) != r.held.Sum {
		r.held.written = false
		return nil
	}
	if err := r.issue(); err != nil {
		return r.notWritten(err)
	}
	return r.record(func(s *state) {
		s.Written = r.held.record
		if s.InUse.Sum == r.held.Sum {
			s.InUse = r.held.record
		}
	})
}

// retire remembers what the provider holds for a credential that is given up.
func (r *refresher) retire(of credential.Credential, until record) {
	if of.Lease != nil {
		r.replaced = append(r.replaced, replacedLease{Lease: of.Lease, expiresAt: until.ExpiresAt})
	}
}

// revokeReplaced gives back what is in use no more: the credential in use is another, and all who are told have heard of it.
func (r *refresher) revokeReplaced(ctx context.Context) {
	if len(r.untold()) > 0 {
		return
	}
	var left []replacedLease
	for _, lease := range r.replaced {
		if !r.revoke(ctx, &lease) {
			left = append(left, lease)
		}
	}
	r.replaced = left
	r.report.set("in use", r)
}

// revoke tells whether nothing is left to be done of a lease.
func (r *refresher) revoke(ctx context.Context, lease *replacedLease) bool {
	if !r.clock.Now().Before(lease.expiresAt) {
		return true
	}
	if r.clock.Elapsed() < lease.again {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, leaseLimit)
	defer cancel()
	err := lease.Revoke(ctx)
	if err == nil {
		r.log.Info("the credential before, which is in use no more, is revoked", event.Is("lease.revoked"))
		return true
	}
	if !lease.told {
		lease.told = true
		r.trouble(slog.LevelWarn, "the credential before was not revoked, and is tried again until it expires: "+r.hide(err.Error()), event.Is("lease.failed"))
	}
	lease.again = r.clock.Elapsed() + revokeAgain
	return false
}
