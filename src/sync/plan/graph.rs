//! Circles and waves of a graph, in O(vertices + edges). `edges[v]` are those that come before `v`.

/// The vertices that lead to each other, by vertex: two have the same number exactly if there is a way from
/// each to the other.
pub(super) fn components(edges: &[Vec<usize>]) -> Vec<usize> {
    let mut tarjan = Tarjan {
        edges,
        number: vec![UNSEEN; edges.len()],
        low: vec![0; edges.len()],
        component: vec![UNSEEN; edges.len()],
        stack: Vec::new(),
        seen: 0,
        components: 0,
    };
    for vertex in 0..edges.len() {
        tarjan.visit(vertex);
    }
    tarjan.component
}

/// For each vertex the length of the longest way that leads to it. The graph must be without circles: what
/// is on one, or behind one, has no level.
pub(super) fn levels(edges: &[Vec<usize>]) -> Vec<Option<usize>> {
    let mut waits: Vec<usize> = edges.iter().map(Vec::len).collect();
    let mut behind: Vec<Vec<usize>> = vec![Vec::new(); edges.len()];
    for (vertex, before) in edges.iter().enumerate() {
        for first in before {
            behind[*first].push(vertex);
        }
    }
    let mut levels = vec![None; edges.len()];
    let mut wave: Vec<usize> = (0..edges.len()).filter(|vertex| waits[*vertex] == 0).collect();
    for level in 0.. {
        if wave.is_empty() {
            break;
        }
        let mut next = Vec::new();
        for vertex in wave {
            levels[vertex] = Some(level);
            for later in &behind[vertex] {
                waits[*later] -= 1;
                if waits[*later] == 0 {
                    next.push(*later);
                }
            }
        }
        wave = next;
    }
    levels
}

/// Tarjan's search, without recursion: a chain of 10,000 objects must not need 10,000 stack frames.
struct Tarjan<'g> {
    edges: &'g [Vec<usize>],
    number: Vec<usize>,
    low: Vec<usize>,
    component: Vec<usize>,
    stack: Vec<usize>,
    seen: usize,
    components: usize,
}

const UNSEEN: usize = usize::MAX;

impl Tarjan<'_> {
    fn visit(&mut self, root: usize) {
        if self.number[root] != UNSEEN {
            return;
        }
        self.enter(root);
        // The way from the root, with the number of edges already followed.
        let mut way = vec![(root, 0)];
        while let Some((vertex, followed)) = way.last_mut() {
            let vertex = *vertex;
            let Some(next) = self.edges[vertex].get(*followed).copied() else {
                way.pop();
                self.leave(vertex, way.last().map(|(before, _)| *before));
                continue;
            };
            *followed += 1;
            if self.number[next] == UNSEEN {
                self.enter(next);
                way.push((next, 0));
            } else if self.component[next] == UNSEEN {
                self.low[vertex] = self.low[vertex].min(self.number[next]);
            }
        }
    }

    fn enter(&mut self, vertex: usize) {
        self.number[vertex] = self.seen;
        self.low[vertex] = self.seen;
        self.seen += 1;
        self.stack.push(vertex);
    }

    fn leave(&mut self, vertex: usize, before: Option<usize>) {
        if let Some(before) = before {
            self.low[before] = self.low[before].min(self.low[vertex]);
        }
        if self.low[vertex] != self.number[vertex] {
            return;
        }
        while let Some(member) = self.stack.pop() {
            self.component[member] = self.components;
            if member == vertex {
                break;
            }
        }
        self.components += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn circles() {
        // 0 -> 1 -> 2 -> 0, 3 -> 2, 4 -> 4.
        let edges = [vec![1], vec![2], vec![0], vec![2], vec![4]];
        let of = components(&edges);
        assert!(of[0] == of[1] && of[1] == of[2]);
        assert!(of[3] != of[0] && of[4] != of[3]);
        assert_eq!(levels(&edges), [None; 5]);
    }

    #[test]
    fn a_long_chain() {
        let edges: Vec<Vec<usize>> =
            (0..100_000_usize).map(|v| v.checked_sub(1).into_iter().collect()).collect();
        assert_eq!(levels(&edges).last(), Some(&Some(99_999)));
        let mut of = components(&edges);
        of.dedup();
        assert_eq!(of.len(), 100_000);
    }

    fn graph() -> impl Strategy<Value = Vec<Vec<usize>>> {
        (1_usize..40).prop_flat_map(|n| prop::collection::vec(prop::collection::vec(0..n, 0..4), n))
    }

    proptest! {
        /// Against the plain way: who can be reached from whom.
        #[test]
        fn components_are_who_reaches_whom(edges in graph()) {
            let n = edges.len();
            let mut reach = vec![vec![false; n]; n];
            for (v, before) in edges.iter().enumerate() {
                reach[v][v] = true;
                before.iter().for_each(|w| reach[v][*w] = true);
            }
            for k in 0..n {
                for i in 0..n {
                    for j in 0..n {
                        reach[i][j] |= reach[i][k] && reach[k][j];
                    }
                }
            }
            let of = components(&edges);
            for i in 0..n {
                for j in 0..n {
                    prop_assert_eq!(of[i] == of[j], reach[i][j] && reach[j][i]);
                }
            }
            let levels = levels(&edges);
            for (v, level) in levels.iter().enumerate() {
                let in_circle = |w: usize| edges[w].iter().any(|x| reach[*x][w]);
                let stuck = (0..n).any(|w| reach[v][w] && in_circle(w));
                prop_assert_eq!(level.is_none(), stuck);
                for w in &edges[v] {
                    prop_assert!(level.is_none() || levels[*w] < *level);
                }
            }
        }
    }
}
