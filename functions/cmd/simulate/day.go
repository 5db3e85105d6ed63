package main

import "math"

// Day is what happens: the load, and what there is to carry it.
type Day struct {
	Tenants      int     // beside the hot one
	Alerts       float64 // a day, of all of them, unevenly
	Hot          float64 // a day
	Burst        float64 // times its mean in the hot tenant's worst minutes
	AccountUnits float64 // RU/s of the account, autoscale's maximum
}

// DefaultDay is the case that the project is to carry: 1,000 tenants and a hot one with 10 M alerts a day.
func DefaultDay() Day {
	return Day{Tenants: 1000, Alerts: 30e6, Hot: 10e6, Burst: 10, AccountUnits: 40_000}
}

const (
	minutes     = 24 * 60
	burstFrom   = 10 * 60 // minute of the day
	burstLength = 30      // minutes
	storageDays = 30
	skew        = 0.8 // of the tenants' sizes: the n-th sends n^-skew of the first
)

// Outcome is what was reached: peaks over the minutes of a day, and growth from day to day.
type Outcome struct {
	Sessions        float64 // worked on at once
	HotSession      float64 // alerts a second asked of the hot tenant's one session
	HotUnits        float64 // RU/s of the hot tenant's partition
	AccountUnits    float64 // RU/s
	Messages        float64 // a second
	Backlog         float64 // alerts waiting, the most
	HotDelay        float64 // minutes that the hot tenant's last alert in the backlog waits, the most
	OtherDelay      float64 // the same of every other tenant
	QueueBytes      float64
	HotStored       float64 // bytes in the hot tenant's largest partition after storageDays
	OperationsADay  float64
	LeftAtTheEnd    float64 // alerts still waiting at midnight
	served, arrived float64
}

// SimulateDay plays one day.
func SimulateDay(d Day) Outcome {
	weights, sum := make([]float64, d.Tenants), 0.0
	for i := range weights {
		weights[i] = math.Pow(float64(i+1), -skew)
		sum += weights[i]
	}
	daily := []float64{d.Hot} // the hot one first
	for _, w := range weights {
		daily = append(daily, d.Alerts*w/sum)
	}
	var out Outcome
	backlog, each := make([]float64, len(daily)), make([]float64, len(daily))
	for i := range daily {
		each[i] = unitsAfter(daily[i], storageDays)
	}
	for m := range minutes {
		out.simulateMinute(d, m, daily, backlog, each)
	}
	for _, b := range backlog {
		out.LeftAtTheEnd += b
	}
	out.HotStored = largestPartition(d.Hot, storageDays)
	out.OperationsADay = (d.Hot + d.Alerts) * operationsPerAlert
	return out
}

// simulateMinute lets alerts arrive and be correlated, as many as the narrowest place lets through. Each is what an
// alert of a tenant costs.
func (o *Outcome) simulateMinute(d Day, m int, daily, backlog, each []float64) {
	rate := math.Min(sessionRate(), partitionUnits/each[0]) // of one tenant
	wanted, seconds := make([]float64, len(daily)), 0.0
	messages, waiting := 0.0, 0.0
	for i := range daily {
		arrived := daily[i] / minutes * loadShape(d, i, m)
		if i == 0 {
			o.HotSession = math.Max(o.HotSession, arrived/60)
		}
		o.arrived += arrived
		backlog[i] += arrived
		messages += math.Max(arrived/alertsPerMessage, math.Min(arrived, 1))
		wanted[i] = math.Min(backlog[i], rate*60)
		seconds += wanted[i]/rate + handover.Seconds()*math.Min(1, arrived)
	}
	o.Messages = math.Max(o.Messages, messages/60)
	o.Sessions = math.Max(o.Sessions, seconds/60)
	share := math.Min(1, instances*sessionsEach*60/seconds)
	units := 0.0
	for i := range wanted {
		units += wanted[i] * share * each[i] / 60
	}
	o.AccountUnits = math.Max(o.AccountUnits, units)
	share *= math.Min(1, d.AccountUnits/math.Max(units, 1))
	for i := range wanted {
		done := wanted[i] * share
		backlog[i] -= done
		o.served += done
		waiting += backlog[i]
		delay := backlog[i] / rate / 60
		if i == 0 {
			o.HotUnits, o.HotDelay = math.Max(o.HotUnits, done*each[0]/60), math.Max(o.HotDelay, delay)
		} else {
			o.OtherDelay = math.Max(o.OtherDelay, delay)
		}
	}
	o.Backlog = math.Max(o.Backlog, waiting)
	o.QueueBytes = math.Max(o.QueueBytes, waiting/alertsPerMessage*messageBytes)
}

// loadShape is a tenant's load in a minute over its mean: days have nights, and the hot tenant is under attack for half
// an hour.
func loadShape(d Day, i, m int) float64 {
	if i == 0 && m >= burstFrom && m < burstFrom+burstLength {
		return d.Burst
	}
	return 1 - 0.5*math.Cos(2*math.Pi*float64(m)/minutes+float64(i%24)/24*2*math.Pi)
}

// largestPartition is how many bytes the largest of a tenant's partitions holds after days of so many alerts: its own,
// where names are besides, which go by themselves.
func largestPartition(daily, days float64) float64 {
	return math.Min(daily*days*tableBytes, ownBytes) + daily*math.Min(days, nameDays)*nameBytes
}

// volumeCount is in how many partitions beside its own a tenant's tables are then.
func volumeCount(daily, days float64) float64 {
	return math.Ceil(math.Max(0, daily*days*tableBytes-ownBytes) / volumeBytes)
}

// unitsAfter is what an alert costs then.
func unitsAfter(daily, days float64) float64 {
	n := volumeCount(daily, days)
	return unitsPerAlert + math.Min(n, 1)*unitsInVolumes + n*unitsPerVolume
}
