import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.LowerCaseFilter;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.Tokenizer;
import org.apache.lucene.analysis.miscellaneous.ASCIIFoldingFilter;
import org.apache.lucene.analysis.snowball.SnowballFilter;
import org.apache.lucene.analysis.standard.StandardTokenizer;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.LongPoint;
import org.apache.lucene.document.NumericDocValuesField;
import org.apache.lucene.document.StoredField;
import org.apache.lucene.document.StringField;
import org.apache.lucene.document.TextField;
import org.apache.lucene.facet.FacetResult;
import org.apache.lucene.facet.FacetsCollector;
import org.apache.lucene.facet.FacetsCollectorManager;
import org.apache.lucene.facet.FacetsConfig;
import org.apache.lucene.facet.LabelAndValue;
import org.apache.lucene.facet.sortedset.DefaultSortedSetDocValuesReaderState;
import org.apache.lucene.facet.sortedset.SortedSetDocValuesFacetCounts;
import org.apache.lucene.facet.sortedset.SortedSetDocValuesFacetField;
import org.apache.lucene.facet.sortedset.SortedSetDocValuesReaderState;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.StoredFields;
import org.apache.lucene.index.Term;
import org.apache.lucene.queryparser.classic.MultiFieldQueryParser;
import org.apache.lucene.queryparser.classic.QueryParser;
import org.apache.lucene.search.BooleanClause;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.Sort;
import org.apache.lucene.search.SortField;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.search.TopDocs;
import org.apache.lucene.search.TopFieldCollectorManager;
import org.apache.lucene.search.TopScoreDocCollectorManager;
import org.apache.lucene.search.similarities.BM25Similarity;
import org.apache.lucene.store.MMapDirectory;

/**
 * Lucene, for lucene_engine.py: `build FOLDER` reads articles, `search FOLDER` reads commands, both as lines of fields
 * parted by tabs. Each query is timed in here, text in, a list of (id, score, title) out.
 */
public final class LuceneSearch {
    private static final String[] TEXTS = {"title", "body"};
    private static final String[] SHOWN = {"id", "title"};
    private static final Set<String> SHOWN_SET = Set.of(SHOWN);

    private record Hit(String id, float score, String title) {}

    private record Asked(String kind, String text, long from, long until, String source, int limit) {}

    /** Standard words in lower case without accents, stemmed by Snowball; nothing left out. */
    private static final class English extends Analyzer {
        @Override
        protected TokenStreamComponents createComponents(String field) {
            Tokenizer words = new StandardTokenizer();
            TokenStream folded = new ASCIIFoldingFilter(new LowerCaseFilter(words));
            return new TokenStreamComponents(words, new SnowballFilter(folded, "English"));
        }

        @Override
        protected TokenStream normalize(String field, TokenStream in) {
            return new ASCIIFoldingFilter(new LowerCaseFilter(in));
        }
    }

    private final IndexSearcher searcher;
    private final StoredFields stored;
    private final QueryParser parser;
    private final SortedSetDocValuesReaderState sources;
    private final int size;
    private final Map<String, List<Asked>> classes = new HashMap<>();
    private long kept;

    private LuceneSearch(Path folder) throws Exception {
        DirectoryReader reader = DirectoryReader.open(new MMapDirectory(folder));
        searcher = new IndexSearcher(reader);
        searcher.setSimilarity(new BM25Similarity(1.2f, 0.75f));
        // The same queries come again in every round; a cache of them would answer instead of the index.
        searcher.setQueryCache(null);
        stored = searcher.storedFields();
        sources = new DefaultSortedSetDocValuesReaderState(reader, new FacetsConfig());
        size = reader.maxDoc();
        parser = new MultiFieldQueryParser(TEXTS, new English());
        parser.setDefaultOperator(QueryParser.Operator.AND);
    }

    public static void main(String[] arguments) throws Exception {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        Path folder = Path.of(arguments[1]);
        if (arguments[0].equals("build")) {
            build(folder, in);
        } else {
            LuceneSearch engine = new LuceneSearch(folder);
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                engine.obey(line.split("\t", -1), out);
            }
        }
    }

    private static void build(Path folder, BufferedReader in) throws Exception {
        IndexWriterConfig config = new IndexWriterConfig(new English());
        config.setSimilarity(new BM25Similarity(1.2f, 0.75f));
        config.setRAMBufferSizeMB(512);
        FacetsConfig facets = new FacetsConfig();
        try (IndexWriter writer = new IndexWriter(new MMapDirectory(folder), config)) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                String[] part = line.split("\t", -1);
                Document article = new Document();
                article.add(new StoredField("id", part[0]));
                article.add(new TextField("title", part[3], Field.Store.YES));
                article.add(new TextField("body", part[4], Field.Store.NO));
                if (!part[1].isEmpty()) {
                    article.add(new StringField("source", part[1], Field.Store.NO));
                    article.add(new SortedSetDocValuesFacetField("source", part[1]));
                }
                if (!part[2].isEmpty()) {
                    article.add(new LongPoint("published", Long.parseLong(part[2])));
                    article.add(new NumericDocValuesField("published", Long.parseLong(part[2])));
                }
                writer.addDocument(facets.build(article));
            }
            writer.forceMerge(1);
            writer.commit();
        }
    }

    private void obey(String[] part, PrintStream out) throws Exception {
        switch (part[0]) {
            case "query" -> {
                Asked asked = new Asked(
                    part[2], part[3], moment(part[4]), moment(part[5]), part[6], Integer.parseInt(part[7]));
                classes.computeIfAbsent(part[1], name -> new ArrayList<>()).add(asked);
            }
            case "answers" -> {
                int most = Integer.parseInt(part[2]);
                for (Asked asked : classes.get(part[1])) {
                    if (most-- > 0) {
                        out.println(answer(asked));
                    }
                }
                out.println(".");
            }
            case "warm" -> {
                long end = System.nanoTime() + (long) (1e9 * Double.parseDouble(part[2]));
                do {
                    times(classes.get(part[1]), Integer.MAX_VALUE, end);
                } while (System.nanoTime() < end);
                out.println(".");
            }
            case "times" -> {
                long end = System.nanoTime() + (long) (1e9 * Double.parseDouble(part[3]));
                StringBuilder line = new StringBuilder();
                for (long time : times(classes.get(part[1]), Integer.parseInt(part[2]), end)) {
                    line.append(time).append(' ');
                }
                out.println(line);
            }
            default -> throw new IllegalArgumentException(part[0]);
        }
    }

    private static long moment(String text) {
        return text.isEmpty() ? 0 : Long.parseLong(text);
    }

    private List<Long> times(List<Asked> all, int most, long end) throws Exception {
        List<Long> taken = new ArrayList<>();
        for (Asked asked : all) {
            if (taken.size() == most) {
                break;
            }
            long begun = System.nanoTime();
            Object got = ask(asked);
            taken.add(System.nanoTime() - begun);
            kept += got.hashCode() & 1; // so that nothing of the work can be left out
            if (System.nanoTime() > end) {
                break;
            }
        }
        return taken;
    }

    private Query parse(Asked asked) throws Exception {
        Query words = parser.parse(asked.text);
        Query filter = null;
        if (!asked.source.isEmpty()) {
            filter = new TermQuery(new Term("source", asked.source));
        } else if (asked.until != 0) {
            filter = LongPoint.newRangeQuery("published", asked.from, asked.until - 1);
        }
        if (filter == null) {
            return words;
        }
        return new BooleanQuery.Builder()
            .add(words, BooleanClause.Occur.MUST)
            .add(filter, BooleanClause.Occur.FILTER)
            .build();
    }

    private Object ask(Asked asked) throws Exception {
        Query query = parse(asked);
        return switch (asked.kind) {
            case "count" -> searcher.count(query);
            case "newest" -> newest(query, asked.limit);
            case "facet" -> List.of(best(query, asked.limit), bySource(query));
            case "ids" -> bestNumbers(query, asked.limit);
            default -> best(query, asked.limit);
        };
    }

    private TopDocs top(Query query, int limit) throws Exception {
        // Counting no more matches than are shown: by default it would count a thousand before it skips.
        return searcher.search(query, new TopScoreDocCollectorManager(Math.min(limit, size), Math.min(limit, size)));
    }

    private List<Hit> hits(TopDocs found) throws Exception {
        List<Hit> hits = new ArrayList<>(found.scoreDocs.length);
        for (ScoreDoc each : found.scoreDocs) {
            Document article = stored.document(each.doc, SHOWN_SET);
            hits.add(new Hit(article.get(SHOWN[0]), each.score, article.get(SHOWN[1])));
        }
        return hits;
    }

    private List<Hit> best(Query query, int limit) throws Exception {
        return hits(top(query, limit));
    }

    private List<Float> bestNumbers(Query query, int limit) throws Exception {
        List<Float> hits = new ArrayList<>();
        for (ScoreDoc each : top(query, limit).scoreDocs) {
            hits.add(each.doc + each.score);
        }
        return hits;
    }

    private List<Hit> newest(Query query, int limit) throws Exception {
        Sort sort = new Sort(new SortField("published", SortField.Type.LONG, true));
        return hits(searcher.search(query, new TopFieldCollectorManager(sort, Math.min(limit, size), limit)));
    }

    private Map<String, Integer> bySource(Query query) throws Exception {
        FacetsCollector matches = searcher.search(query, new FacetsCollectorManager());
        FacetResult counts = new SortedSetDocValuesFacetCounts(sources, matches).getAllChildren("source");
        Map<String, Integer> found = new HashMap<>();
        if (counts != null) {
            for (LabelAndValue each : counts.labelValues) {
                found.put(each.label, each.value.intValue());
            }
        }
        return found;
    }

    private String answer(Asked asked) throws Exception {
        Query query = parse(asked);
        StringBuilder line = new StringBuilder();
        if (asked.kind.equals("facet")) {
            line.append(bySource(query).values().stream().mapToInt(Integer::intValue).sum());
        } else {
            line.append(searcher.count(query));
        }
        if (!asked.kind.equals("count")) {
            for (Hit hit : asked.kind.equals("newest") ? newest(query, asked.limit) : best(query, asked.limit)) {
                line.append('\t').append(hit.id);
            }
        }
        return line.toString();
    }
}
