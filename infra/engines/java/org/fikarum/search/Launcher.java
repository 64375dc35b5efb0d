package org.fikarum.search;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.opensearch.Version;
import org.opensearch.common.logging.LogConfigurator;
import org.opensearch.common.settings.Settings;
import org.opensearch.env.Environment;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.plugins.PluginInfo;

/**
 * Runs one search node whose plugins are on the class path.
 *
 * <p>Arguments: the node's home, the folder of opensearch.yml and log4j2.properties, then a class name per plugin.
 */
public final class Launcher {
    private Launcher() {}

    public static void main(String[] arguments) {
        try {
            run(Path.of(arguments[0]), Path.of(arguments[1]), Arrays.asList(arguments).subList(2, arguments.length));
        } catch (Throwable failure) {
            failure.printStackTrace();
            // a node that failed half-way leaves threads behind that would keep the process alive
            Runtime.getRuntime().halt(1);
        }
    }

    private static void run(Path home, Path configuration, List<String> plugins) throws Exception {
        LogConfigurator.registerErrorListener();
        Settings paths = Settings.builder().put("path.home", home.toString()).build();
        Environment environment =
            InternalSettingsPreparer.prepareEnvironment(paths, Map.of(), configuration, () -> "fikarum");
        LogConfigurator.configure(environment);

        Node node = new ClassPathNode(environment, plugins.stream().map(Launcher::describe).toList());
        CountDownLatch closed = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> close(node, closed), "fikarum-shutdown"));
        node.start();
        closed.await();
    }

    private static void close(Node node, CountDownLatch closed) {
        try {
            node.close();
        } catch (Exception failure) {
            failure.printStackTrace();
        } finally {
            closed.countDown();
        }
    }

    private static PluginInfo describe(String className) {
        String java = String.valueOf(Runtime.version().feature());
        return new PluginInfo(className, "on the class path", "NA", Version.CURRENT, java, className, null, List.of(), false);
    }

    /** The constructor that takes plugins is for subclasses only. */
    private static final class ClassPathNode extends Node {
        ClassPathNode(Environment environment, List<PluginInfo> plugins) {
            super(environment, plugins, true);
        }
    }
}
