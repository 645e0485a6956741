package policy

import (
	"mianti/catalog"
	"mianti/web/frame"
)

// oneThingView is a one-thing with its matters in the order in which they are
// handled.
type oneThingView struct {
	base
	*catalog.OneThing
	Handling, Lead string
	Explained      string // what the handling means
	Row            thingRow
	Layers         []layerView
	Graph          *graph
	Departments    []string
	Params         []paramView
	Variants       []paramView
}

// layerView are the matters that may go on at the same time.
type layerView struct {
	Number int
	Rows   []stationView
}

// stationView is a matter in its place.
type stationView struct {
	*matterRow
	When   catalog.Words
	Before []*catalog.Matter
	Feeds  []feed
	// StageName is the named part of the one-thing that it is in, if there is one.
	StageName string
}

type paramView struct{ Name, Value string }

func (s *section) oneThing(v *frame.Visit) (frame.Answer, error) {
	shelf, b, err := s.at(v, "one-things")
	if err != nil {
		return frame.Answer{}, err
	}
	thing := shelf.rev.OneThing(v.Param("code"))
	if thing == nil {
		return frame.Answer{}, missing("unknown-one-thing", "一件事")
	}
	view := &oneThingView{
		base: b, OneThing: thing, Handling: handlingName(thing.Handling), Lead: nameOf(shelf.rev, thing.Lead), Row: *shelf.thingRows[thing.Code],
		Explained: map[catalog.Handling]string{
			catalog.HandlingSerial: "前一事项的结果是后一事项的依据，依次办理", catalog.HandlingParallel: "各事项互不等待，同时办理", catalog.HandlingMixed: "有先有后：同一步中的事项同时办理",
		}[thing.Handling],
		Graph: newGraph(thing),
	}
	rows := map[string]*matterRow{}
	for _, m := range shelf.matters {
		if m.OneThing == thing.Code {
			rows[m.Code] = m
		}
	}
	for number, layer := range layersOf(thing) {
		one := layerView{Number: number + 1}
		for _, m := range layer {
			station := stationView{matterRow: rows[m.Code], When: m.WhenInWords(), Feeds: feedsOf(thing, m)}
			if m.Stage > 0 && m.Stage <= len(thing.Stages) {
				station.StageName = thing.Stages[m.Stage-1]
			}
			for _, code := range m.After {
				station.Before = append(station.Before, shelf.rev.Matter(code))
			}
			one.Rows = append(one.Rows, station)
		}
		view.Layers = append(view.Layers, one)
	}
	for _, k := range sortedKeys(thing.Params) {
		view.Params = append(view.Params, paramView{k, showValue(thing.Params[k])})
	}
	for _, k := range sortedKeys(thing.Variants) {
		view.Variants = append(view.Variants, paramView{k, thing.Variants[k]})
	}
	return frame.Show("onething.html", thing.Name, view), nil
}
