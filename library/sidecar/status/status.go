// Package status shows a person how a running program is.
package status

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/outrigger-charts/outrigger/library/sidecar/health"
)

// Verb is the command's name.
const Verb = "status"

// Command is `outrigger status`. What it prints is for a person, and so a text and no event.
func Command() *cobra.Command {
	socket := health.Socket()
	command := &cobra.Command{
		Use:   Verb,
		Short: "Show how the program that runs in this container is: its state, its last errors, what it does next",
		Long: `Asks the program that runs in this container how it is, and prints what it says: its state, its last errors, what it does
next. In a cluster:

  kubectl exec POD -c NAME -- /outrigger status

and in a container of another image /outrigger-program/outrigger status. Where the program has another folder for its state,
` + health.StateVariable + ` names it here too, or --socket what is in it.

Exit codes: 0 it answered, whatever it said; 1 it did not.`,
		Example: `  outrigger status --socket ` + health.SocketIn("/tmp/token"),
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			text, err := health.Ask(socket, "status", 5*time.Second)
			if err == nil {
				fmt.Fprint(command.OutOrStdout(), text)
			}
			return err
		},
	}
	command.Flags().StringVar(&socket, "socket", socket, "where the program listens")
	return command
}
