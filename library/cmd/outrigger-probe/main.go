// Command outrigger-probe asks the program that runs in its container how it is: it is what the kubelet's probes run.
//
//	outrigger-probe [-socket PATH] started | ready | live
//
// Exit code 0 is yes; 1 is no, or no answer, and why stands on standard error; 2 is a wrong call. It imports the standard
// library only: big programs take longer to start than a probe may.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/outrigger-charts/outrigger/library/sidecar/health"
)

func main() {
	socket := flag.String("socket", health.Socket(), "where the program listens")
	patience := flag.Duration("timeout", 4*time.Second, "how long to wait for its answer")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: outrigger-probe [-socket PATH] started | ready | live")
		os.Exit(2)
	}
	if _, err := health.Ask(*socket, flag.Arg(0), *patience); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
