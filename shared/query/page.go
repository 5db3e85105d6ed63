package query

// Page is one page of a listing.
type Page[T any] struct {
	Items []T
	// Total counts all that match, when the query asked for it; -1 otherwise.
	Total int64
	// More says that there are rows beyond this page.
	More bool
}

// Stats counts rows.
type Stats struct {
	Alerts    int64 `json:"alerts"`
	Exposures int64 `json:"exposures"`
	Incidents int64 `json:"incidents"`
}
