package testimages

import (
	"context"
	"runtime"

	"github.com/outrigger-charts/outrigger/ci/image"
)

// OutriggerRef is the image of the program, of the library's own version.
const OutriggerRef = "ghcr.io/outrigger-charts/outrigger:0.2.0"

// Outrigger is what the project ships, for this machine's architecture. It is in no registry yet.
var Outrigger = Image{
	Ref:     OutriggerRef,
	MadeOf:  "library",
	Shipped: true,
	StandIn: func(ctx context.Context, e Env) (image.Spec, error) {
		return e.product().Spec(ctx, OutriggerRef, runtime.GOARCH)
	},
}
