// Package status shows a person how a running program is.
package status

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/outrigger-charts/outrigger/library/sidecar/health"
)

// Command is `outrigger status`.
func Command() *cobra.Command {
	socket := health.Socket()
	command := &cobra.Command{
		Use:   "status",
		Short: "Show how the program that runs in this container is: its state, its last errors, what it does next",
		Args:  cobra.NoArgs,
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
