package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is set by the linker for releases.
var version = ""

type versionCmd struct {
	JSON bool `name:"json" help:"Print JSON."`
}

func (x *versionCmd) Run(a app) error {
	c := &client{app: a, json: x.JSON}
	return c.print(map[string]string{"version": versionText(), "go": runtime.Version()}, func(*table) {
		fmt.Fprintf(c.out, "ringback %s (%s %s/%s)\n", versionText(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	})
}

func versionText() string {
	if version != "" {
		return version
	}
	if b, ok := debug.ReadBuildInfo(); ok {
		for _, s := range b.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 12 {
				return "development " + s.Value[:12]
			}
		}
	}
	return "development"
}
