// Package credential is what a provider hands to a refresher.
package credential

import (
	"context"
	"time"
)

// Credential is a password that lives for a while. It is never formatted: String hides it.
type Credential struct {
	// Username is the one that the provider made or knows; empty where it knows none.
	Username string
	Password string
	// ExpiresAt is when the server stops taking it; zero where the provider cannot know: then the caller's ttl counts, and
	// without one it cannot be used.
	ExpiresAt time.Time
	// SignedUntil is when what made it expires, with which it dies; zero where nothing is known of that.
	SignedUntil time.Time
	// Lease is what the provider holds for it and may be given back; nil where it holds nothing.
	Lease Lease
	// Note is what a person should be told although there is a credential, in a line; mostly empty.
	Note string
}

func (Credential) String() string   { return "***" }
func (Credential) GoString() string { return "***" }

// Lease is what a provider holds for a credential.
type Lease interface {
	// Renew makes the credential, and what made it, live longer, and returns until when both do; the credential stays the
	// same. An earlier ExpiresAt and SignedUntil count no more.
	Renew(ctx context.Context) (expiresAt time.Time, err error)
	// Revoke ends the credential at once.
	Revoke(ctx context.Context) error
}

// Provider is where credentials come from.
type Provider interface {
	// Obtain returns a new credential. Its error never has any of it.
	Obtain(ctx context.Context) (Credential, error)
	// Explain says in a line why the server may have refused a credential that Obtain returned, or nothing where that is not
	// known.
	Explain(ctx context.Context, refused Credential) string
}
