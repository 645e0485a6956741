package catalog

import "time"

// TimeZone is that of every date which a law or a citizen means: Asia/Shanghai,
// eight hours ahead of UTC all year, without need of the machine's zone files.
func TimeZone() *time.Location { return shanghai }

// shanghai is made once: a resolution asks for it two hundred times.
var shanghai = time.FixedZone("Asia/Shanghai", 8*60*60)
