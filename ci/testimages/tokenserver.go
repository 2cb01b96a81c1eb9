package testimages

// TokenServerRef is the image of tests/tokenserver. No registry has it.
const TokenServerRef = "docker.io/outrigger/test-tokenserver:1"

// tokenServer checks tokens as RDS does, and issues what signs them.
var tokenServer = own(TokenServerRef, "tokenserver", "5432", "8080", "8081", "8443")
