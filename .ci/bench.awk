# Turns the output of "go test -bench -benchmem" into a table, a line a benchmark; other metrics follow at the end.
# Exits with 1 if a package failed.
/^pkg: / { pkg = $2 }
/^cpu: / && !cpu { cpu = $0; print cpu "\n" }
/^Benchmark/ && /ns\/op/ {
	ns = bytes = allocs = ""; more = ""
	for (i = 3; i < NF; i += 2) {
		if ($(i + 1) == "ns/op") ns = $i
		else if ($(i + 1) == "B/op") bytes = $i
		else if ($(i + 1) == "allocs/op") allocs = $i
		else more = more "  " $i " " $(i + 1)
	}
	sub(/^Benchmark/, "", $1); sub(/-[0-9]+$/, "", $1)
	if (pkg != shown) {
		printf "%s%-52s %12s %10s %10s\n", shown == "" ? "" : "\n", pkg, "ns/op", "B/op", "allocs/op"
		shown = pkg
	}
	printf "  %-50s %12s %10s %10s%s\n", $1, ns, bytes, allocs, more
	fflush()
	next
}
/^(FAIL|--- FAIL|panic:)/ || /build failed|setup failed/ { failed = 1 }
failed || /^(# |.*\.go:[0-9]+:)/ { print }
END { exit failed }
