package pgbouncer

// The events of an ambassador. Those from eventUnreadable on are said again while they last.
const (
	eventWaiting  = "credential.waiting"
	eventAccepted = "credential.accepted"
	eventUnproven = "credential.unproven"
	eventHung     = "pgbouncer.hung"
	eventEnded    = "pgbouncer.ended"

	eventUnreadable    = "credential.unreadable"
	eventNotTaken      = "credential.not-taken-up"
	eventMisconfigured = "credential.misconfigured"
	eventUnheard       = "credential.unheard"
	eventState         = "state.not-kept"
	eventNoQuery       = "pgbouncer.no-query"
)
