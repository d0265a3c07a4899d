package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/drydock-db/drydock/lab/build"
	"github.com/drydock-db/drydock/lab/cluster"
)

func upCommand(dir *string) *cobra.Command {
	o := cluster.UpOptions{}
	var audit bool
	cmd := &cobra.Command{
		Use: "up", Args: cobra.NoArgs,
		Short: "Start the lab, or repair a running one",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("audit") {
				o.Audit = &audit
			}
			var err error
			if o.Root, err = filepath.Abs(o.Root); err != nil {
				return fmt.Errorf("resolve --root: %w", err)
			}
			if o.Source, err = sourceFolder(o.Source, o.Root); err != nil {
				return err
			}
			return with(cmd, *dir, func(ctx context.Context, lab *cluster.Lab) error { return lab.Up(ctx, o) })
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Root, "root", "..", "repository with the manifests and the operator")
	flags.StringVar(&o.Source, "source", "", "folder of the lab module (default: this folder, or lab below --root)")
	flags.IntVar(&o.Nodes, "nodes", 5, "number of fake nodes")
	flags.BoolVar(&audit, "audit", true, "write the API server's requests to logs/audit.log (a running lab keeps what it has, unless this is given)")
	flags.StringSliceVar(&o.Without, "without", nil, "controllers of kube-controller-manager to leave out, separated by commas")
	flags.BoolVar(&o.Install, "install", true, "apply the operator's manifests and catalog")
	flags.StringVar(&o.Manifests, "manifests", "config/default", "kustomize folder of the operator, below --root")
	flags.StringVar(&o.Catalog, "catalog", "config/catalog", "kustomize folder of the catalog, below --root")
	flags.BoolVar(&o.RunOperator, "operator", true, "build and start the operator")
	flags.BoolVar(&o.Operator.Race, "race", false, "build the operator with the race detector")
	flags.StringArrayVar(&o.Operator.Args, "operator-args", nil, "one more argument for the operator; may be repeated")
	return cmd
}

func buildCommand() *cobra.Command {
	var source string
	cmd := &cobra.Command{
		Use: "build", Short: "Build the binaries that the cache lacks", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := sourceFolder(source, "..")
			if err != nil {
				return err
			}
			builder, err := build.New(cmd.Context(), dir, cmd.OutOrStdout())
			if err != nil {
				return err
			}
			if _, err := builder.Ensure(cmd.Context(), build.All()); err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), "all binaries are in", builder.Cache)
			return nil
		},
	}
	cmd.Flags().StringVar(&source, "source", "", "folder of the lab module (default: this folder)")
	return cmd
}

// sourceFolder finds the lab module, whose nested modules the binaries are built from.
func sourceFolder(given, root string) (string, error) {
	candidates := []string{".", filepath.Join(root, "lab")}
	if given != "" {
		candidates = []string{given}
	}
	for _, dir := range candidates {
		if _, err := os.Stat(filepath.Join(dir, "kube", "go.mod")); err == nil {
			return filepath.Abs(dir)
		}
	}
	return "", errors.New("cannot find the lab module: run from its folder or name it with --source")
}
