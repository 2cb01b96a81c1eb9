# Reads SQL as pg_restore --create or pg_dumpall print it, and prints what PART asks for:
#
#   create      what makes a database, with NAME for its name
#   properties  all else that is the database's own: its owner, settings, privileges, comment. What the user may not do is left
#               out with a warning, and so is a setting that the server does not know; a role that it lacks is an error
#   grantees    a privilege on the database NAME for each role that privileges, policies and user mappings name
#   roles       each of them
#   globals     roles and tablespaces, but for those in the file KEPT ("role NAME" and "tablespace NAME", one a line): only what
#               new ones have by them. Their names go to the file KEPT.found
BEGIN {
  identifier = "(\"([^\"]|\"\")*\"|[A-Za-z0-9_]+)"
  policy = "^CREATE POLICY " identifier " ON " identifier "(\\." identifier ")?( AS RESTRICTIVE)?( FOR [A-Z]+)? TO "
  privileges = "^(GRANT|REVOKE) [A-Z, ]+ ON "
  grantee = " (TO|FROM) " identifier "( WITH GRANT OPTION)?( GRANTED BY " identifier ")?;$"
  while (ENVIRON["KEPT"] && (getline < ENVIRON["KEPT"]) > 0) kept[$0]
}

# A statement ends with a ; outside of quotes, and between statements are comments and commands of psql's.
!quote && statement == "" && /^(--|\\|$)/ { next }
{
  rest = $0
  while (match(rest, quote ? quote : "[;'\"]")) {
    character = substr(rest, RSTART, 1)
    statement = statement substr(rest, 1, RSTART)
    rest = substr(rest, RSTART + 1)
    if (quote) quote = ""
    else if (character != ";") quote = character
    else { finish(statement); statement = ""; sub(/^ +/, "", rest) }
  }
  if (statement rest != "") statement = statement rest "\n"
}

function finish(text) {
  if (ENVIRON["PART"] == "globals") global(text)
  else if (ENVIRON["PART"] ~ /^(grantees|roles)$/) need(text)
  else if (text ~ /^CREATE DATABASE /) { if (ENVIRON["PART"] == "create") print renamed(text) }
  else if (ENVIRON["PART"] == "properties") {
    if (text ~ /^SET (client_encoding|standard_conforming_strings) /) print text
    else if (text ~ /^(SET|SELECT) / && text !~ /^SET SESSION AUTHORIZATION /) return
    else print lenient(text)
  }
}

function renamed(text) {
  if (!match(text, "^(CREATE|ALTER|COMMENT ON) DATABASE ") && !match(text, privileges "DATABASE ") &&
    !match(text, "^ALTER ROLE " identifier " IN DATABASE ") && !match(text, "^SECURITY LABEL FOR " identifier " ON DATABASE ")) return text
  return substr(text, 1, RLENGTH) ENVIRON["NAME"] without(substr(text, RLENGTH + 1))
}

function without(text) { match(text, "^" identifier); return substr(text, RLENGTH + 1) }

function lenient(text, warning) {
  warning = "raise warning '%: %', sqlerrm, $statement$" text "$statement$;"
  return "do $outrigger$ begin " renamed(text) " exception when insufficient_privilege or invalid_parameter_value or cant_change_runtime_param then " warning \
    " when undefined_object then if sqlerrm like 'role \"%' then raise; end if; " warning " end $outrigger$;"
}

function need(text, rest) {
  if (match(text, "^ALTER DEFAULT PRIVILEGES FOR ROLE " identifier)) want(substr(text, 35))
  if (match(text, "^CREATE USER MAPPING FOR ")) want(substr(text, 25))
  else if (match(text, policy)) {
    rest = substr(text, RLENGTH + 1)
    do { want(rest); rest = without(rest) } while (sub(/^, /, "", rest))
  }
  else if (match(text, grantee)) want(whom(text))
}

function want(text, role) {
  role = first(text)
  if (role == "PUBLIC" || role in wanted) return
  wanted[role]
  if (ENVIRON["PART"] == "grantees") print "grant connect on database " ENVIRON["NAME"] " to " role ";"
  else print "do $outrigger$ begin create role " role "; exception when duplicate_object then null; end $outrigger$;"
}

# Returns the identifier with which a text begins, and meant what it names.
function first(text) { match(text, "^" identifier); return substr(text, 1, RLENGTH) }

function meant(text) {
  if (text ~ /^"/) { text = substr(text, 2, length(text) - 2); gsub(/""/, "\"", text) }
  return text
}

# Returns where the role begins to whom something is granted: what matched is " TO role;".
function whom(text) { return substr(text, RSTART + (substr(text, RSTART, 4) == " TO " ? 4 : 6)) }

function is_kept(kind, text) { return (kind " " meant(first(text))) in kept }

function global(text, kind, own) {
  kind = text ~ /^(CREATE|ALTER|COMMENT ON|SECURITY LABEL FOR .* ON) TABLESPACE / || text ~ privileges "TABLESPACE " ? "tablespace" : "role"
  if (match(text, "^(CREATE|ALTER|COMMENT ON) (ROLE|TABLESPACE) ") || match(text, privileges "TABLESPACE ") ||
    match(text, "^SECURITY LABEL FOR " identifier " ON (ROLE|TABLESPACE) ")) {
    own = substr(text, RLENGTH + 1)
    if (is_kept(kind, own)) { if (text ~ /^CREATE /) print kind " " meant(first(own)) >(ENVIRON["KEPT"] ".found"); return }
  }
  # A membership, and a privilege on a parameter.
  else if (match(text, "^GRANT " identifier " TO ")) {
    own = substr(text, RLENGTH + 1)
    if (is_kept("role", substr(text, 7)) && is_kept("role", own)) return
  }
  else if (text ~ privileges "PARAMETER " && match(text, grantee)) {
    if (is_kept("role", whom(text))) return
  }
  # A role without what it may do would be taken for one that exists by the next restore.
  if (text ~ /^CREATE ROLE /) print "BEGIN;"
  print text
  if (text ~ /^CREATE ROLE /) making = 1
  else if (making) { making = 0; print "COMMIT;" }
}
