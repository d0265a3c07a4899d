// Command lab starts and stops a Kubernetes for tests and demonstrations on this machine, from nothing
// but Go modules. See lab/README.md.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/drydock-db/drydock/lab/cluster"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := command().ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		os.Exit(1)
	}
}

func command() *cobra.Command {
	root := &cobra.Command{
		Use: "lab", Short: "A real Kubernetes on this machine, with fake nodes",
		SilenceUsage: true, SilenceErrors: true,
	}
	dir := root.PersistentFlags().String("dir", ".lab", "folder of the lab; each folder is a lab of its own")
	root.AddCommand(upCommand(dir), downCommand(dir), statusCommand(dir), operatorCommand(dir), buildCommand())
	return root
}

// with opens the lab, runs something on it and closes it again.
func with(cmd *cobra.Command, dir string, do func(ctx context.Context, lab *cluster.Lab) error) error {
	lab, closeLab, err := cluster.Open(cmd.Context(), dir, cmd.OutOrStdout())
	if err != nil {
		return err
	}
	defer closeLab()
	return do(cmd.Context(), lab)
}

func downCommand(dir *string) *cobra.Command {
	return &cobra.Command{
		Use: "down", Short: "Stop what `up` started and remove its data; logs are kept", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return with(cmd, *dir, func(_ context.Context, lab *cluster.Lab) error { return lab.Down() })
		},
	}
}

func statusCommand(dir *string) *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show the lab's processes; fails when one is not healthy", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return with(cmd, *dir, func(ctx context.Context, lab *cluster.Lab) error { return lab.Status(ctx) })
		},
	}
}
