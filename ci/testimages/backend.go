package testimages

// BackendRef is the image of tests/backend. No registry has it.
const BackendRef = "docker.io/outrigger/test-backend:1"

// backend receives what log shippers send.
var backend = own(BackendRef, "backend", "4317", "4318", "4319", "8080")
