package cosmosdb

import (
	"context"
	"strconv"
	"strings"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/data/azcosmos"
)

// Query is a query of Cosmos DB's SQL with its parameters.
type Query struct {
	Text   string
	Params []azcosmos.QueryParameter
	Page   int // items a page
}

// BindParam adds a parameter and gives its name.
func (q *Query) BindParam(v any) string {
	name := "@p" + strconv.Itoa(len(q.Params))
	q.Params = append(q.Params, azcosmos.QueryParameter{Name: name, Value: v})
	return name
}

// RunQuery hands the answers of a query to do, until it wants no more.
func (c *Client) RunQuery(ctx context.Context, in Partition, q Query, do func(item []byte) (more bool, err error)) error {
	token := ""
	for {
		var resp azcosmos.QueryItemsResponse
		err := c.retry(ctx, func(to containers) (err error) {
			o := azcosmos.QueryOptions{QueryParameters: q.Params, PageSizeHint: int32(q.Page), SessionToken: in.session.token()}
			if token != "" {
				o.ContinuationToken = &token
			}
			resp, err = to.state.NewQueryItemsPager(q.Text, in.key(), &o).NextPage(ctx)
			in.session.resetIfUnknown(err)
			return err
		})
		if err != nil {
			return err
		}
		for _, it := range resp.Items {
			more, err := do(it)
			if err != nil || !more {
				return err
			}
		}
		if resp.ContinuationToken == nil || *resp.ContinuationToken == "" {
			return nil
		}
		token = strings.Clone(*resp.ContinuationToken)
	}
}

// PartitionQuery is a query of one partition.
type PartitionQuery struct {
	In Partition
	Query
}

// Order is the order in which a query gives items: by a number that each of them has.
type Order struct {
	Bound func(item []byte) (int64, error) // nil without an order
	Desc  bool
}

// RunQueries asks partitions, all at once, and hands what they answer to do until it wants no more: in the order in
// which each of them answers, or one partition's after the other's when there is none.
func (c *Client) RunQueries(ctx context.Context, from []PartitionQuery, order Order, do func(item []byte) (more bool, err error)) error {
	if len(from) == 1 {
		return c.RunQuery(ctx, from[0].In, from[0].Query, do)
	}
	ctx, stop := context.WithCancel(ctx)
	var asking sync.WaitGroup
	defer asking.Wait()
	defer stop()
	all := make([]*queryStream, len(from))
	for i, q := range from {
		all[i] = &queryStream{items: make(chan []byte)}
		asking.Go(func() { all[i].sendItems(ctx, c, q) })
	}
	for _, s := range all {
		if err := s.readNext(order); err != nil {
			return err
		}
	}
	for s := firstStream(all, order); s != nil; s = firstStream(all, order) {
		if more, err := do(s.item); err != nil || !more {
			return err
		}
		if err := s.readNext(order); err != nil {
			return err
		}
	}
	return nil
}

// queryStream is a partition in the middle of its answer.
type queryStream struct {
	items chan []byte
	err   error // once items is closed

	item  []byte // the next; nil when there is none
	bound int64  // what it is ordered by
}

func (s *queryStream) sendItems(ctx context.Context, c *Client, q PartitionQuery) {
	defer close(s.items)
	s.err = c.RunQuery(ctx, q.In, q.Query, func(item []byte) (bool, error) {
		select {
		case s.items <- item:
			return true, nil
		case <-ctx.Done():
			return false, ctx.Err()
		}
	})
}

func (s *queryStream) readNext(order Order) (err error) {
	item, ok := <-s.items
	if s.item = item; !ok {
		return s.err
	}
	if order.Bound != nil {
		s.bound, err = order.Bound(item)
	}
	return err
}

// firstStream is the one whose next item comes first; nil when there is none. Without an order all bounds are the same.
func firstStream(all []*queryStream, order Order) *queryStream {
	var first *queryStream
	for _, s := range all {
		if s.item != nil && (first == nil || order.Desc && s.bound > first.bound || !order.Desc && s.bound < first.bound) {
			first = s
		}
	}
	return first
}
