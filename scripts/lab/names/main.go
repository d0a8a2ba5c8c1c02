// Command names is CoreDNS with the plugins that helm/private-dns uses, bind for tests that share a machine, and no
// others: the whole one brings the SDK of every cloud.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"

	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/file"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/metrics"
	_ "github.com/coredns/coredns/plugin/minimal"
	_ "github.com/coredns/coredns/plugin/ready"
)

func main() {
	// Plugins answer in the order of the real one: https://github.com/coredns/coredns/blob/v1.14.7/plugin.cfg
	dnsserver.Directives = []string{"bind", "ready", "health", "prometheus", "errors", "minimal", "file"}
	coremain.Run()
}
