package admission

import "time"

// limit is how many requests may be at work at once. Nobody sets it: it follows
// from how long requests take against how long those of their kind take when
// little else is asked (their stretch). With one caller, or with nobody waiting,
// there is nothing to protect, and many may work side by side. When callers
// compete, or more comes than goes, it is brought to where requests take about
// twice as long as alone: beyond that more at once makes all slower and none
// faster.
//
// It stays between twice and sixteen times the processors, so that a wrong
// measurement does bounded harm. It is used with the gate held.
type limit struct {
	alone, least, most float64
	value              float64
	// wide is how many may be under way, those that are away included, for each that may
	// be at work: what is asked of a department on this machine costs it as well.
	wide    float64
	stretch float64

	kinds map[string]*kind
	// turned is when it was last set, probed when it was last brought down to one for
	// each processor, to see how long requests take alone.
	turned, probed time.Time
	probing        bool
	// beats are those since, and competed those in which callers competed.
	beats, competed int
	// typical is how long a request takes alone, over what is asked now.
	typical time.Duration
}

// kind is what is known of requests that ask the same.
type kind struct {
	alone time.Duration // how long they take when little else is asked; 0 for unknown
	sum   time.Duration
	count int
}

const (
	// startTimes, leastTimes and mostTimes the processors are where the limit starts,
	// and its bounds.
	startTimes, leastTimes, mostTimes = 4, 2, 16
	// tight is the stretch above which fewer are let in, loose that below which more.
	tight, loose = 2.0, 1.5
	// turnEvery is how often the limit is set, when there were enough requests to know.
	turnEvery  = 250 * time.Millisecond
	turnSample = 20
	// widest and narrowest are the bounds of wide.
	widest, narrowest = 64, 1.25
	// probeEvery is how often it is seen, under load, how long requests take alone.
	probeEvery = 10 * time.Second
	// mostKinds bounds what is remembered; the rest are of one kind.
	mostKinds = 512
	otherKind = "other"
	// firstGuess is how long a request takes of which nothing is known.
	firstGuess = 5 * time.Millisecond
	// drift is how quickly the time alone follows when requests take longer although
	// nobody waits: the data grew, or the disk is slower.
	drift = 0.05
)

func newLimit(cores int) limit {
	c := float64(cores)
	return limit{alone: c, least: leastTimes * c, most: mostTimes * c, value: startTimes * c, wide: widest, stretch: 1, kinds: map[string]*kind{}, typical: firstGuess}
}

func (l *limit) now() int {
	if l.probing {
		return int(l.alone)
	}
	return int(l.value)
}

// underWay is how many may be under way where so many may be at work.
func (l *limit) underWay(places int) int { return int(l.wide * float64(places)) }

// usual is how long a request takes alone.
func (l *limit) usual() time.Duration { return max(l.typical, firstGuess) }

func (l *limit) kind(name string) *kind {
	if k := l.kinds[name]; k != nil {
		return k
	}
	if len(l.kinds) >= mostKinds {
		name = otherKind
		if k := l.kinds[name]; k != nil {
			return k
		}
	}
	k := &kind{}
	l.kinds[name] = k
	return k
}

func (k *kind) expected() time.Duration {
	if k.alone == 0 {
		return firstGuess
	}
	return k.alone
}

// took notes how long a request took. One that took very long counts as if it had
// taken less, so that a single one does not decide.
func (k *kind) took(d time.Duration) {
	if k.alone > 0 {
		d = min(d, 10*k.alone)
	}
	k.sum += max(d, time.Microsecond)
	k.count++
}

// counts reports whether a request that began then tells something: of those that
// were under way when a probe began, it is not known how they would have done.
func (l *limit) counts(begun time.Time) bool { return !l.probing || begun.After(l.turned) }

// turn sets the limit anew, if it is time to. It is called at every beat, and told
// whether callers compete for places.
func (l *limit) turn(now time.Time, compete bool) {
	l.beats++
	if compete {
		l.competed++
	}
	if now.Sub(l.turned) < turnEvery {
		return
	}
	count := 0
	for _, k := range l.kinds {
		count += k.count
	}
	if count < turnSample && now.Sub(l.turned) < 4*turnEvery {
		return
	}
	contended, probed := 3*l.competed >= l.beats, l.probing
	l.turned, l.probing, l.beats, l.competed = now, false, 0, 0
	l.measure(contended && !probed)
	switch {
	case !contended:
		l.value, l.wide = min(l.value*1.5, l.most), min(l.wide*2, widest)
		return
	case probed:
	case l.stretch > tight && l.value <= l.least: // it is not those at work alone
		l.wide = max(min(l.wide, 4)*max(0.6, tight/l.stretch), narrowest)
	case l.stretch > tight:
		l.value = max(l.value*max(0.6, tight/l.stretch), l.least)
	case l.stretch < loose && l.wide < widest:
		l.wide = min(l.wide*1.25, widest)
	case l.stretch < loose:
		l.value = min(l.value*1.1, l.most)
	}
	if now.Sub(l.probed) > probeEvery {
		l.probed, l.probing = now, true
	}
}

// measure takes what was noted since the last turn: how long requests took, against
// how long they take alone.
func (l *limit) measure(loaded bool) {
	var stretch, alone float64
	all := 0
	for _, k := range l.kinds {
		if k.count == 0 {
			continue
		}
		mean := k.sum / time.Duration(k.count)
		switch {
		case k.alone == 0 || mean < k.alone:
			k.alone = mean
		case !loaded:
			k.alone += time.Duration(drift * float64(mean-k.alone))
		}
		stretch += float64(k.count) * float64(mean) / float64(k.alone)
		alone += float64(k.count) * float64(k.alone)
		all += k.count
		k.sum, k.count = 0, 0
	}
	if all > 0 {
		l.stretch, l.typical = stretch/float64(all), time.Duration(alone/float64(all))
	}
}
