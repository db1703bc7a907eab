// Command ringback is the exchange and its command line in one file. serve wires the packages together (wire.go); every
// other subcommand is a client of a running instance, over the Unix socket in its data directory or by URL and token.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"
)

// app is what a subcommand may use of the process it runs in.
type app struct {
	in       io.Reader
	out, err io.Writer
	environ  func(string) string
}

//lint:file-ignore SA5008 kong reads every set of a tag

type commands struct {
	Serve         serveCmd         `cmd:"" help:"Run the exchange."`
	Extension     extensionCmd     `cmd:"" aliases:"extensions" help:"Add, list, show, change or remove extensions."`
	Services      servicesCmd      `cmd:"" help:"Show or change what an extension has switched on: forwards, find-me, screening …"`
	Group         groupCmd         `cmd:"" aliases:"groups" help:"List, show, change or remove ring groups." set:"a=a ring group" set:"many=ring groups" set:"one=group" set:"example={\"members\":[\"1000\",\"1001\"],\"strategy\":\"in order\"}"`
	Room          roomCmd          `cmd:"" aliases:"rooms" help:"List, show, change or remove conference rooms." set:"a=a conference room" set:"many=conference rooms" set:"one=room" set:"example={\"name\":\"Board\",\"pin\":\"4711\",\"moderator_pin\":\"0815\"}"`
	Menu          menuCmd          `cmd:"" aliases:"menus" help:"List, show, change or remove IVR menus." set:"a=an IVR menu" set:"many=IVR menus" set:"one=menu" set:"example={\"prompt\":\"menu/sales\",\"keys\":{\"1\":\"1000\",\"2\":\"600\"}}"`
	Mailbox       mailboxCmd       `cmd:"" aliases:"mailboxes" help:"List, show, change or remove mailboxes, their messages and greetings." set:"a=a mailbox" set:"many=mailboxes" set:"one=mailbox" set:"example={\"email\":\"alice@example.com\",\"attach\":true,\"pin\":\"4711\"}"`
	Hours         hoursCmd         `cmd:"" help:"List, show, change, switch or remove opening hours."`
	Office        officeCmd        `cmd:"" help:"Show or change what holds for all extensions."`
	Prompt        promptCmd        `cmd:"" aliases:"prompts" help:"List, replace or reset what callers hear of the PBX."`
	Codes         codesCmd         `cmd:"" help:"List the feature codes."`
	Plan          planCmd          `cmd:"" help:"Say where a call would go, and why; nothing rings."`
	Registrations registrationsCmd `cmd:"" help:"List or remove registered phones."`
	Calls         callsCmd         `cmd:"" help:"List, record or hang up calls."`
	Conference    conferenceCmd    `cmd:"" aliases:"conferences" help:"List the conferences that are up; lock or record them, mute or remove members."`
	Recording     recordingCmd     `cmd:"" aliases:"recordings" help:"List, show, fetch or remove recordings of calls and conferences."`
	CDR           cdrCmd           `cmd:"" name:"cdr" help:"List call records."`
	Events        eventsCmd        `cmd:"" help:"Print what happens, as it happens."`
	Token         tokenCmd         `cmd:"" help:"List, create or revoke API tokens."`
	Health        healthCmd        `cmd:"" help:"Say whether the exchange takes calls; fails if not."`
	CheckConfig   checkConfigCmd   `cmd:"" help:"Check the configuration and say what comes from where."`
	Version       versionCmd       `cmd:"" help:"Print the version."`
}

// more are subcommands that stand in files of their own.
var more []kong.Option

func main() {
	os.Exit(run(context.Background(), os.Args[1:], app{os.Stdin, os.Stdout, os.Stderr, os.Getenv}))
}

// run is main with everything given. Exit statuses: 0, 1 for what failed, 2 for a wrong command line.
func run(ctx context.Context, args []string, a app) (status int) {
	type exit int
	defer func() { // kong ends --help by its exit function
		switch e := recover().(type) {
		case nil:
		case exit:
			status = int(e)
		default:
			panic(e)
		}
	}()
	var c commands
	parser, err := kong.New(&c, append([]kong.Option{
		kong.Name("ringback"),
		kong.Description("An IP-PBX in one file."),
		kong.Writers(a.out, a.err),
		kong.Exit(func(n int) { panic(exit(n)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(a),
	}, more...)...)
	if err != nil {
		panic(err) // a mistake in the tags above
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	k, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(a.err, "ringback: %v\n", err)
		return 2
	}
	if err := k.Run(); err != nil {
		if !errors.Is(err, errSaid) {
			fmt.Fprintf(a.err, "ringback: %v\n", err)
		}
		return 1
	}
	return 0
}

// errSaid ends a subcommand with status 1 where everything has been said.
var errSaid = errors.New("failed")
