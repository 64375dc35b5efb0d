package org.fikarum.search;

import java.util.Map;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.pl.PolishAnalyzer;
import org.apache.lucene.analysis.stempel.StempelFilter;
import org.apache.lucene.analysis.stempel.StempelStemmer;
import org.opensearch.common.settings.Settings;
import org.opensearch.index.IndexSettings;
import org.opensearch.index.analysis.AbstractIndexAnalyzerProvider;
import org.opensearch.index.analysis.AbstractTokenFilterFactory;
import org.opensearch.index.analysis.AnalyzerProvider;
import org.opensearch.index.analysis.TokenFilterFactory;
import org.opensearch.indices.analysis.AnalysisModule.AnalysisProvider;
import org.opensearch.plugins.AnalysisPlugin;
import org.opensearch.plugins.Plugin;

/** The analyzer {@code polish} and the token filter {@code polish_stem}, under the names the stempel plugin gives them. */
public class PolishAnalysis extends Plugin implements AnalysisPlugin {
    @Override
    public Map<String, AnalysisProvider<AnalyzerProvider<? extends Analyzer>>> getAnalyzers() {
        return Map.of("polish", (index, environment, name, settings) -> new Polish(index, name, settings));
    }

    @Override
    public Map<String, AnalysisProvider<TokenFilterFactory>> getTokenFilters() {
        return Map.of("polish_stem", (index, environment, name, settings) -> new PolishStem(index, name, settings));
    }

    private static final class Polish extends AbstractIndexAnalyzerProvider<PolishAnalyzer> {
        private final PolishAnalyzer analyzer = new PolishAnalyzer();

        Polish(IndexSettings index, String name, Settings settings) {
            super(index, name, settings);
        }

        @Override
        public PolishAnalyzer get() {
            return analyzer;
        }
    }

    private static final class PolishStem extends AbstractTokenFilterFactory {
        PolishStem(IndexSettings index, String name, Settings settings) {
            super(index, name, settings);
        }

        @Override
        public TokenStream create(TokenStream words) {
            return new StempelFilter(words, new StempelStemmer(PolishAnalyzer.getDefaultTable()));
        }
    }
}
