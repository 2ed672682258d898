package main

import (
	"fmt"
	"runtime/debug"
	"strings"

	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// Versioning are the settings of Temporal's Worker Versioning. With it the server
// gives work only to the build that is the deployment's current one, so that an
// upgrade is one decision, and can be taken back.
type Versioning struct {
	Deployment string `desc:"name of the Temporal Worker Deployment that a worker belongs to; unset: workers are not versioned"`
	BuildID    string `split_words:"true" desc:"what tells this build from others of the deployment; unset: the binary's version"`
}

// Validate reports every problem at once by environment name.
func (v Versioning) Validate() error {
	switch {
	case v.Deployment == "":
		return nil
	case strings.ContainsAny(v.Deployment, ".:") || strings.HasPrefix(v.Deployment, "__"):
		return fmt.Errorf("HOLDFAST_DEPLOYMENT: must hold no dot or colon and not begin with __, which Temporal keeps for itself")
	case v.buildID() == "":
		return fmt.Errorf("HOLDFAST_BUILD_ID: must be set with HOLDFAST_DEPLOYMENT, because this binary has no version of its own")
	default:
		return nil
	}
}

// on tells whether workers are versioned.
func (v Versioning) on() bool { return v.Deployment != "" }

// buildID is the setting, or the binary's version, or empty.
func (v Versioning) buildID() string {
	if v.BuildID != "" {
		return v.BuildID
	}
	info, _ := debug.ReadBuildInfo()
	if own := ownVersion(version, info); own != noVersion && own != "unknown" {
		return own
	}
	return ""
}

// options are the worker's part of it. Runs move to a new current version with
// their next task, wherever they are: a subject that is held for days is finished by
// the build of that day. That is what the replay test is for.
func (v Versioning) options() worker.DeploymentOptions {
	if !v.on() {
		return worker.DeploymentOptions{}
	}
	return worker.DeploymentOptions{
		UseVersioning:             true,
		Version:                   worker.WorkerDeploymentVersion{DeploymentName: v.Deployment, BuildID: v.buildID()},
		DefaultVersioningBehavior: workflow.VersioningBehaviorAutoUpgrade,
	}
}
