// Command simulate answers how far one namespace and one Cosmos DB account carry: a thousand tenants and a hot one,
// minute by minute through a day with an attack in it. It knows no more than the constants that tests of the drivers
// and the path count, and the limits that the services document.
//
//	tenants ─ arrivals a minute ─▶ backlog of each session ─ min(session, partition, account) ─▶ served ─▶ table
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	d := DefaultDay()
	flag.IntVar(&d.Tenants, "tenants", d.Tenants, "tenants beside the hot one")
	flag.Float64Var(&d.Alerts, "alerts", d.Alerts, "alerts a day of all of them")
	flag.Float64Var(&d.Hot, "hot", d.Hot, "alerts a day of the hot one")
	flag.Float64Var(&d.Burst, "burst", d.Burst, "times its mean that the hot one sends in its worst minutes")
	flag.Parse()
	if err := WriteTable(os.Stdout, d, SimulateDay(d)); err != nil {
		fmt.Fprintln(os.Stderr, "simulate:", err)
		os.Exit(1)
	}
}
