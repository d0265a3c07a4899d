package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/drydock-db/drydock/lab/cluster"
)

func operatorCommand(dir *string) *cobra.Command {
	parent := &cobra.Command{Use: "operator", Short: "Start, stop, kill or restart the operator of a running lab"}
	parent.AddCommand(
		startCommand(dir, "start", "Build and start the operator", false),
		startCommand(dir, "restart", "Stop the operator, build it again and start it", true),
		endCommand(dir, "stop", "End the operator in good order", (*cluster.Lab).StopOperator),
		endCommand(dir, "kill", "End the operator as a crash would (SIGKILL)", (*cluster.Lab).KillOperator),
	)
	return parent
}

// startCommand's arguments after -- go to the operator, this time only, after those of `lab up`.
func startCommand(dir *string, use, short string, stopFirst bool) *cobra.Command {
	var rebuild bool
	cmd := &cobra.Command{
		Use: use + " [-- operator flags]", Short: short, Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return with(cmd, *dir, func(ctx context.Context, lab *cluster.Lab) error {
				if stopFirst {
					if err := lab.StopOperator(); err != nil {
						return err
					}
				}
				o := lab.OperatorOptions()
				o.NoBuild = !rebuild
				o.Args = append(o.Args, args...)
				return lab.StartOperator(ctx, o)
			})
		},
	}
	cmd.Flags().BoolVar(&rebuild, "build", true, "build the operator first")
	return cmd
}

func endCommand(dir *string, use, short string, end func(*cluster.Lab) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return with(cmd, *dir, func(_ context.Context, lab *cluster.Lab) error { return end(lab) })
		},
	}
}
