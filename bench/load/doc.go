// Package load is what measurements of the running program are made of: the
// stand-in sources, the bare servers beside which the exchange is held, callers
// that measure latencies, and the processor time of processes. It has the clock,
// and asks this machine alone.
//
// A measurement starts what it needs and puts it under load:
//
//	tools, _ := load.Build(dir)                  // the exchange and the bench's own program
//	sources, _ := load.StartSources(tools)       // five departments
//	database, _ := load.StartPostgres(ctx)       // fsync on
//	node, _ := load.StartExchange(ctx, load.ExchangeConfig{…})
//	target, _ := node.Target(ctx, "mianti")
//	result, _ := load.Closed(ctx, target, 32, 2*time.Second)
package load
