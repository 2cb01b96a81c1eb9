# Reads SQL as pg_restore --create or pg_dumpall print it, and prints what PART asks for:
#
#   create      what makes a database, with NAME for its name
#   properties  all else that is the database's own: its owner, settings, privileges, comment. With LENIENT, what the server
#               refuses is left out with a warning
#   globals     roles and tablespaces, but for those in the file KEPT ("role NAME" and "tablespace NAME", one a line), whose
#               memberships alone are added. Their names go to the file KEPT.found
BEGIN {
  identifier = "(\"([^\"]|\"\")*\"|[^\" ;]+)"
  privileges = "^(GRANT|REVOKE) [A-Z, ]+ ON "
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
  else if (text ~ /^CREATE DATABASE /) { if (ENVIRON["PART"] == "create") print renamed(text) }
  else if (ENVIRON["PART"] == "properties") {
    if (text ~ /^SET (client_encoding|standard_conforming_strings) /) print text
    else if (text ~ /^(SET|SELECT) / && text !~ /^SET SESSION AUTHORIZATION /) return
    else print ENVIRON["LENIENT"] ? lenient(renamed(text)) : renamed(text)
  }
}

function renamed(text) {
  if (!match(text, "^(CREATE|ALTER|COMMENT ON) DATABASE ") && !match(text, privileges "DATABASE ") &&
    !match(text, "^ALTER ROLE " identifier " IN DATABASE ") && !match(text, "^SECURITY LABEL FOR " identifier " ON DATABASE ")) return text
  return substr(text, 1, RLENGTH) ENVIRON["NAME"] without(substr(text, RLENGTH + 1))
}

function without(text) { match(text, "^" identifier); return substr(text, RLENGTH + 1) }

function lenient(text) {
  return "do $outrigger$ begin " text " exception when others then raise warning '%: %', sqlerrm, $statement$" text "$statement$; end $outrigger$;"
}

function global(text, kind, name) {
  kind = text ~ /^(CREATE|ALTER|COMMENT ON|SECURITY LABEL FOR .* ON) TABLESPACE / || text ~ privileges "TABLESPACE " ? "tablespace" : "role"
  if (match(text, "^(CREATE|ALTER|COMMENT ON) (ROLE|TABLESPACE) ") || match(text, privileges "TABLESPACE ") ||
    match(text, "^SECURITY LABEL FOR " identifier " ON (ROLE|TABLESPACE) ")) {
    name = substr(text, RLENGTH + 1)
    match(name, "^" identifier)
    name = substr(name, 1, RLENGTH)
    if (name ~ /^"/) { name = substr(name, 2, length(name) - 2); gsub(/""/, "\"", name) }
    if ((kind " " name) in kept) { if (text ~ /^CREATE /) print kind " " name >(ENVIRON["KEPT"] ".found"); return }
  }
  # A role without what it may do would be taken for one that exists by the next restore.
  if (text ~ /^CREATE ROLE /) print "BEGIN;"
  print text
  if (text ~ /^CREATE ROLE /) making = 1
  else if (making) { making = 0; print "COMMIT;" }
}
